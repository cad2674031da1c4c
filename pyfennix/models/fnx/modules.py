# SPDX-License-Identifier: MIT
"""The registry of modules that a ``.fnx`` module list may name, by their FeNNol identifiers.

Every module declares the keys it reads and writes. ``prepare`` runs once per composition, on one
row per element; ``run`` runs at every evaluation, on the centers. A new module of the format is
one class with a ``@register`` line (modules_static.py, modules_dynamic.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from pyfennix.exceptions import ModelError

State = dict[str, Any]


@dataclass
class Build:
    """What a module may need to know when it is built.

    ``widths`` maps a key to its width so far, ``graphs`` a graph's name to its cutoff; ``blocks``
    are the blocks of elements with parameters; ``tables`` holds extra arrays of the checkpoint.
    """

    widths: dict[str, int]
    graphs: dict[str, float]
    blocks: tuple[str, ...]
    tables: dict[str, Any]


class FnxModule(nn.Module):
    """Base of the registered modules."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()

    def prepare(self, static: State) -> None:
        """Compute what depends on the composition only; default: nothing."""

    def run(self, state: State) -> None:
        """Compute what depends on positions; default: nothing."""


REGISTRY: dict[str, Callable[[str, dict, Build], FnxModule]] = {}


def register(identifier: str):
    """Class decorator: make a module known under its (case-insensitive) identifier."""

    def add(cls):
        REGISTRY[identifier.lower()] = cls
        return cls

    return add


def build_module(name: str, params: dict, build: Build) -> FnxModule:
    """Construct one entry of the module list; ModelError for an unknown identifier."""
    identifier = str(params.get("module_name", params.get("FID", name)))
    if identifier.lower() not in REGISTRY:
        known = ", ".join(sorted(REGISTRY))
        raise ModelError(f"module {identifier!r} is not supported: supported modules are {known}")
    module = REGISTRY[identifier.lower()](name, params, build)
    absent = [key for key in module.reads if key not in build.widths]
    if absent:
        raise ModelError(f"module {name!r} reads {absent[0]!r}, which no module before it writes")
    return module


def only(params: dict, key: str, *allowed) -> None:
    """Refuse a setting that is valid in FeNNol but not implemented here."""
    if key in params and params[key] not in allowed:
        raise ModelError(f"{key} = {params[key]!r} is not supported: use {allowed[0]!r}")
