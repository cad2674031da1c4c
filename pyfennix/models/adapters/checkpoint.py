# SPDX-License-Identifier: MIT
"""The door of FeNNol's checkpoints: FILE.fnx."""

from __future__ import annotations

from pathlib import Path

from pyfennix.exceptions import ModelError
from pyfennix.models.adapters.door import Door
from pyfennix.models.fnx.checkpoint import load_fnx
from pyfennix.models.interface import Model


def _load(path: Path, word: str) -> Model:
    if word:
        raise ModelError(f"{path}:{word}: a checkpoint holds one model; name the file alone")
    return load_fnx(path)


DOOR = Door("a checkpoint in FeNNol's format", (".fnx",), _load)
