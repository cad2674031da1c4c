# SPDX-License-Identifier: MIT
"""Training frames from fragments of big systems."""

from __future__ import annotations

from collections.abc import Sequence

from pyfennix.distillation.settings import DistillSettings
from pyfennix.exceptions import InputError
from pyfennix.training.frames import Frame


def from_fragments(settings: DistillSettings, model, frames: Sequence[Frame]) -> list[Frame]:
    raise InputError("not yet")
