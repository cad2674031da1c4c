# SPDX-License-Identifier: MIT
"""From a shipped name or a file to a model: NAME, FILE.fnx, FILE.py or FILE.py:Class."""

from __future__ import annotations

import difflib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

import torch

from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.checkpoint import load_fnx
from pyfennix.models.interface import Model
from pyfennix.models.memory import keep_freed_memory

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"
DTYPES = {"float32": torch.float32, "float64": torch.float64}


def shipped() -> list[str]:
    """Names of the models that come with pyfennix."""
    return sorted(path.stem for path in WEIGHTS.glob("*.fnx"))


def load_model(
    name: str | Path, dtype: str | torch.dtype = "float32", device: str | torch.device = "cpu"
) -> Model:
    """Load a model.

    Parameters
    ----------
    name
        A shipped name, a ``.fnx`` file, or ``model.py`` or ``model.py:ClassName``.
    dtype
        "float32" or "float64".
    device
        Where its parameters are put.

    Returns
    -------
    Model
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
    text = str(name)
    file, _, kind = text.partition(".py:")
    if kind or text.endswith(".py"):
        model = _from_python(Path(file + ".py" if kind else text), kind)
    else:
        model = _from_weights(text)
    return model.to(dtype=dtype, device=torch.device(device)).eval().requires_grad_(False)


def _from_weights(text: str) -> Model:
    """A shipped model or a .fnx file."""
    path = Path(text)
    if path.suffix == "" and text in shipped():
        return load_fnx(WEIGHTS / f"{text}.fnx")
    if path.is_file():
        return load_fnx(path)
    if path.suffix or len(path.parts) > 1:
        raise ModelError(f"model file {text} does not exist")
    near = difflib.get_close_matches(text, shipped(), n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"shipped are {', '.join(shipped()) or 'none'}"
    raise ModelError(f"there is no model {text!r}: {hint}")


def _from_python(path: Path, kind: str) -> Model:
    """An instance of the class that a user's file defines."""
    module = _import(path)
    classes = {
        name: found
        for name, found in vars(module).items()
        if isinstance(found, type) and issubclass(found, Model)
        and found.__module__ == module.__name__
    }
    if kind and kind not in classes:
        raise ModelError(f"{path}: there is no model class {kind}, only {_listed(classes)}")
    if not kind and len(classes) != 1:
        raise ModelError(
            f"{path}: expected one subclass of pyfennix.Model, found {_listed(classes)}; "
            f"choose with {path}:ClassName"
        )
    chosen = classes[kind] if kind else next(iter(classes.values()))
    try:
        model = chosen()
    except Exception as error:
        raise ModelError(_blame(path, f"{path.name}:{chosen.__name__}", error)) from error
    if model.name == Model.name:
        model.name = f"{path.name}:{chosen.__name__}"
    return model


def _import(path: Path) -> ModuleType:
    """Import a file as a module of its own, its folder searchable for its helpers."""
    if not path.is_file():
        raise ModelError(f"{path}: the model file is missing")
    name = f"pyfennix_user_{path.stem}_{abs(hash(path.resolve()))}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ModelError(_blame(path, path.name, error)) from error
    finally:
        sys.path.remove(folder)
    return module


def _blame(path: Path, what: str, error: Exception) -> str:
    """`model.py raised ValueError: text (model.py, line 3)`."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else (lines or [0])[-1]
    text = " ".join(str(error).split())
    return f"{what} raised {type(error).__name__}: {text} ({path.name}, line {line})"


def _listed(classes: dict[str, type]) -> str:
    return ", ".join(sorted(classes)) or "none"
