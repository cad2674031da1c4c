# SPDX-License-Identifier: MIT
"""Every family of modules that a ``.fnx`` file may name; importing it fills the registry."""

from pyfennix.models.ani import module as ani_module
from pyfennix.models.density import module as density_module
from pyfennix.models.fnx import modules_dynamic, modules_static
from pyfennix.models.raster import module as raster_module

FAMILIES = (modules_static, modules_dynamic, raster_module, ani_module, density_module)
