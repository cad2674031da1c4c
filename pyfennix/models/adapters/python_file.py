# SPDX-License-Identifier: MIT
"""The door of Python files: FILE.py or FILE.py:Name, a model or what makes one."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from pyfennix.exceptions import ModelError
from pyfennix.models.adapters import ase
from pyfennix.models.adapters.door import AnyModel, Door
from pyfennix.models.interface import Model
from pyfennix.models.total_energy import TotalEnergyModel

MAKER = "make_model"  # a file's function of this name says what the file is for


def load(path: Path, word: str) -> AnyModel:
    """The model that a file defines.

    ``word`` names a class, or a function that can be called without arguments; either must give a
    :class:`Model`, a :class:`TotalEnergyModel` or an ASE calculator. Without a word it is the
    function ``make_model`` if there is one, else the one class of such a kind.

    Raises
    ------
    ModelError
        When the file cannot be imported, or holds no such thing, or more than one.
    """
    module = _import(path)
    makers = _makers(module)
    if word:
        if word not in makers:
            raise ModelError(f"{path}: there is no model class or function {word}, "
                             f"only {_listed(makers)}")
        chosen = word
    elif MAKER in makers:
        chosen = MAKER
    else:
        classes = [name for name, thing in makers.items() if isinstance(thing, type)]
        if len(classes) != 1:
            raise ModelError(
                f"{path}: expected one subclass of pyfennix.Model or a function {MAKER}, "
                f"found {_listed(classes)}; choose with {path}:Name"
            )
        chosen = classes[0]
    return _made(path, chosen, makers[chosen])


def _makers(module: ModuleType) -> dict[str, object]:
    """The file's own model classes, calculator classes and functions."""
    own = {name: thing for name, thing in vars(module).items()
           if getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_")}
    return {name: thing for name, thing in own.items()
            if inspect.isfunction(thing) or (isinstance(thing, type) and _is_kind(thing))}


def _is_kind(thing: type) -> bool:
    calculator = all(hasattr(thing, name) for name in ("get_potential_energy", "get_forces"))
    return issubclass(thing, Model | TotalEnergyModel) or calculator


def _made(path: Path, name: str, maker) -> AnyModel:
    """Call the maker, and wrap a calculator."""
    what = f"{path.name}:{name}"
    try:
        model = maker()
        if ase.is_calculator(model):
            model = ase.AseModel(model)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(_blame(path, what, error)) from error
    if not isinstance(model, Model | TotalEnergyModel):
        raise ModelError(f"{what} gave {type(model).__name__}, expected a pyfennix.Model, a "
                         "TotalEnergyModel or an ASE calculator")
    if model.name == Model.name:
        model.name = what
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


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


DOOR = Door("a Python file that defines a model", (".py",), load)
