# SPDX-License-Identifier: MIT
"""A RASTER-type model from a ``.fnx`` file, and back."""

from __future__ import annotations

import os
from contextlib import contextmanager

import numpy as np
import torch
from torch.nn.modules.module import register_module_parameter_registration_hook

from pyfennix.exceptions import ModelError
from pyfennix.io.fnx import flatten, nest, read_fnx, write_tree
from pyfennix.models.fnx.model import FennixModel

# pyfennix's own additions live under one top-level key, which FeNNol ignores.
_OWN = "pyfennix"


def load_fnx(path: str | os.PathLike) -> FennixModel:
    """Build the model that a checkpoint describes, float32, on the CPU, not trainable.

    Raises
    ------
    ModelError
        When the file is no checkpoint, uses an unsupported module, or its parameters do not fit
        its own description; one sentence naming the file.
    """
    tree = read_fnx(path)
    own = tree.get(_OWN, {}) if isinstance(tree.get(_OWN, {}), dict) else {}
    name = os.path.splitext(os.path.basename(os.fspath(path)))[0]
    try:
        parameters = {
            _prefixed(key): value
            for key, value in flatten(tree["variables"].get("params", {})).items()
        }
        with _at_most(sum(value.size for value in parameters.values())):
            model = FennixModel(tree, own.get("elements"), own.get("blocks"), own.get("tables"),
                                name)
        if any(value.dtype == np.float64 for value in parameters.values()):
            model.to(torch.float64)
        _fill(model, parameters)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    except Exception as error:  # a file may hold anything, and none of it may end a program
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ModelError(f"{path}: the description of the model is unusable ({reason})") from None
    about = own.get("about")
    model.description = str(about.get("description", "")) if isinstance(about, dict) else ""
    return model.requires_grad_(False).eval()


def save_fnx(path: str | os.PathLike, model: FennixModel, about: dict | None = None) -> None:
    """Write ``model`` with float32 parameters; ``about`` is free text kept with it.

    FeNNol reads the file unless the model has modules or settings of ours alone.
    """
    parameters = {
        key.split(".", 1)[1]: value.detach().cpu().float().numpy()
        for key, value in model.named_parameters()
    }
    config = {key: model.config[key] for key in
              ("cutoff", "preprocessing", "modules", "energy_terms", "energy_unit")
              if key in model.config}
    own = {"elements": list(model.elements), "blocks": list(model.blocks), "about": about or {}}
    tables = (model.config.get(_OWN) or {}).get("tables")
    if tables:
        own["tables"] = tables
    write_tree(path, {**config, _OWN: own, "variables": {"params": nest(parameters)}})


@contextmanager
def _at_most(count: int):
    """Refuse a description that asks for far more parameters than the file can fill.

    A few missing ones are named later; this is about memory.
    """
    made, most = 0, 2 * count + 1_000_000

    def note(_module, _name, parameter) -> None:
        nonlocal made
        made += 0 if parameter is None else parameter.numel()
        if made > most:
            raise ModelError(
                f"the modules described need more parameters than the {count} numbers in the file"
            )

    hook = register_module_parameter_registration_hook(note)
    try:
        yield
    finally:
        hook.remove()


def _prefixed(key: str) -> str:
    """FeNNol's parameter name -> name within FennixModel."""
    return ("switches." if ".SwitchFunction_" in key else "parts.") + key


def _fill(model: FennixModel, parameters: dict[str, np.ndarray]) -> None:
    """Copy parameters into the model; every name and shape must fit."""
    wanted = dict(model.named_parameters())
    missing = sorted(set(wanted) - set(parameters))
    if missing:
        raise ModelError(f"parameter {missing[0].split('.', 1)[1]!r} is missing")
    unused = sorted(set(parameters) - set(wanted))
    if unused:
        raise ModelError(f"parameter {unused[0].split('.', 1)[1]!r} belongs to no module")
    with torch.no_grad():
        for key, target in wanted.items():
            value = parameters[key]
            if value.dtype.kind != "f" or not np.isfinite(value).all():
                raise ModelError(
                    f"parameter {key.split('.', 1)[1]!r} is not made of finite numbers"
                )
            if value.shape != tuple(target.shape):
                raise ModelError(
                    f"parameter {key.split('.', 1)[1]!r} has shape {value.shape}, "
                    f"expected {tuple(target.shape)}"
                )
            if ".SwitchFunction_" in key and not value > 0:
                raise ModelError(f"parameter {key.split('.', 1)[1]!r}, a switch's exponent, is "
                                 f"{float(value):g}, not positive")
            target.copy_(torch.as_tensor(np.array(value)))
