# SPDX-License-Identifier: MIT
"""Two-level neural-network molecular dynamics: a Fortran engine and PyTorch models.

>>> import pyfennix as fx
>>> sim = fx.Simulation("water.key")
>>> sim.run(1000)
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from pyfennix.exceptions import FennixError, InputError, ModelError

if TYPE_CHECKING:
    from pyfennix.distillation.api import distill
    from pyfennix.models.ase_calculator import Calculator
    from pyfennix.models.batch import evaluate_batch
    from pyfennix.models.evaluate import Evaluation, evaluate
    from pyfennix.models.interface import Model
    from pyfennix.models.registry import load_model
    from pyfennix.models.total_energy import TotalEnergy, TotalEnergyModel
    from pyfennix.models.validate import validate_model
    from pyfennix.simulation import Simulation
    from pyfennix.training.trainer import train

# Threads that spin long while they wait come to a standstill when other programs want the same
# cores, and threads that sleep at once wake too late; libgomp reads this when torch is imported
os.environ.setdefault("GOMP_SPINCOUNT", "5000")

try:
    __version__ = version("pyfennix")
except PackageNotFoundError:  # a source tree that is not installed
    __version__ = "unknown"

# Imported when first used, so that `import pyfennix` is quick and needs neither torch nor ASE
_HOMES = {
    "Simulation": "simulation",
    "load_model": "models.registry",
    "evaluate": "models.evaluate",
    "evaluate_batch": "models.batch",
    "Evaluation": "models.evaluate",
    "Model": "models.interface",
    "TotalEnergy": "models.total_energy",
    "TotalEnergyModel": "models.total_energy",
    "validate_model": "models.validate",
    "Calculator": "models.ase_calculator",
    "train": "training.trainer",
    "distill": "distillation.api",
}

__all__ = [
    "Calculator",
    "Evaluation",
    "FennixError",
    "InputError",
    "Model",
    "ModelError",
    "Simulation",
    "TotalEnergy",
    "TotalEnergyModel",
    "__version__",
    "distill",
    "evaluate",
    "evaluate_batch",
    "load_model",
    "train",
    "validate_model",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'pyfennix' has no attribute {name!r}")
    value = getattr(import_module(f"pyfennix.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
