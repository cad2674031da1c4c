# SPDX-License-Identifier: MIT
"""From a shipped name, a file or an object to a model, through the door that opens for it."""

from __future__ import annotations

import copy
import difflib
from pathlib import Path

import torch

from pyfennix.exceptions import ModelError
from pyfennix.models.adapters import ase, checkpoint, python_file
from pyfennix.models.adapters.door import AnyModel
from pyfennix.models.interface import Model
from pyfennix.models.memory import keep_freed_memory
from pyfennix.models.total_energy import TotalEnergyModel

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
DTYPES = {"float32": torch.float32, "float64": torch.float64}

# A new kind of model is a file in adapters/ and a word here. Their order matters for objects only.
DOORS = (checkpoint.DOOR, python_file.DOOR, ase.DOOR)
_BY_SUFFIX = {suffix: door for door in DOORS for suffix in door.suffixes}


def shipped() -> list[str]:
    """Names of the models that come with pyfennix."""
    return sorted(path.stem for path in WEIGHTS.glob("*.fnx"))


def checkpoint_file(name: str) -> Path:
    """The ``.fnx`` file of a shipped name, or the file itself."""
    return WEIGHTS / f"{name}.fnx" if name in shipped() else Path(name)


def load_model(
    name: str | Path | object, dtype: str | torch.dtype = "float32",
    device: str | torch.device = "cpu",
) -> AnyModel:
    """Load a model.

    Parameters
    ----------
    name
        A shipped name; a ``.fnx`` file; ``model.py`` or ``model.py:Name`` with the name of a class
        or a function; an ASE calculator; or a model object, which is copied.
    dtype
        "float32" or "float64"; a total-energy model has a precision of its own.
    device
        Where its parameters are put.

    Returns
    -------
    Model or TotalEnergyModel
        In evaluation mode, parameters frozen.

    Raises
    ------
    ModelError
        One sentence when the model cannot be found or read.
    """
    keep_freed_memory()
    if isinstance(dtype, str):
        if dtype not in DTYPES:
            raise ModelError(f"dtype {dtype!r} is unknown: use float32 or float64")
        dtype = DTYPES[dtype]
    model = _from_file(str(name)) if isinstance(name, str | Path) else as_model(name)
    if isinstance(model, TotalEnergyModel):
        return model
    model = copy.deepcopy(model) if model is name else model
    return model.to(dtype=dtype, device=torch.device(device)).eval().requires_grad_(False)


def as_model(thing: object) -> AnyModel:
    """A model as it is, or the model that a door makes of an object.

    Raises
    ------
    ModelError
        When no door takes it.
    """
    if isinstance(thing, Model | TotalEnergyModel):
        return thing
    for door in DOORS:
        if door.takes(thing):
            return door.wrap(thing)
    raise ModelError(
        f"{type(thing).__name__} is no model: expected a name, a file, a pyfennix.Model, "
        "a TotalEnergyModel or an ASE calculator"
    )


def split_name(text: str) -> tuple[str, str]:
    """``("model.py", "Class")`` from ``model.py:Class``; the word is empty when there is none."""
    for suffix in _BY_SUFFIX:
        file, found, word = text.rpartition(f"{suffix}:")
        if found:
            return file + suffix, word
    return text, ""


def _from_file(text: str) -> AnyModel:
    """A shipped model, or the file's door; a file of unknown suffix may still be a checkpoint."""
    if Path(text).suffix == "" and text in shipped():
        return checkpoint.DOOR.load(WEIGHTS / f"{text}.fnx", "")
    file, word = split_name(text)
    path = Path(file)
    if path.is_file():
        return _BY_SUFFIX.get(path.suffix, checkpoint.DOOR).load(path, word)
    if path.suffix == ".py":
        raise ModelError(f"{path}: the model file is missing")
    if path.suffix or len(path.parts) > 1:
        raise ModelError(f"model file {file} does not exist")
    near = difflib.get_close_matches(text, shipped(), n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"shipped are {', '.join(shipped()) or 'none'}"
    raise ModelError(f"there is no model {text!r}: {hint}")
