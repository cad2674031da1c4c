# SPDX-License-Identifier: MIT
"""The state of a training on disk, from which it goes on as if nothing had happened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from pyfennix.exceptions import InputError

NAME = "checkpoint.pt"


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values; the file is replaced at once, never half written."""
    temporary = folder / f"{NAME}.tmp"
    with temporary.open("wb") as handle:
        torch.save(state, handle)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(folder / NAME)


def load_checkpoint(folder: Path, settings: dict) -> dict[str, Any]:
    """The state, if it belongs to a training with the same settings.

    Raises
    ------
    InputError
        When there is none, it cannot be read, or a setting differs; names the setting.
    """
    path = folder / NAME
    if not path.is_file():
        raise InputError(f"{path}: there is no checkpoint to resume from")
    try:
        state = torch.load(path, weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler meets
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: the checkpoint cannot be read ({reason})") from None
    for section, values in settings.items():
        for key, value in values.items():
            before = state["settings"].get(section, {}).get(key)
            if before != value:
                raise InputError(f"{path}: was made with {key} = {before!r} in [{section}], now it "
                                 f"is {value!r}; resume with the old one or start in a new folder")
    return state
