# SPDX-License-Identifier: MIT
"""The registry of modules that a ``.fnx`` module list may name, by their FeNNol identifiers.

Every module declares the keys it reads and writes. ``prepare`` runs once per composition, on one
row per kind of atom; ``run`` runs at every evaluation, on the centers. A module that acts on each
row alone (:class:`RowModule`) does so wherever its inputs are. A new module of the format is one
class with a ``@register`` line (modules_static.py, modules_dynamic.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.settings import Settings, identifier


class State(dict[str, Any]):
    """What the modules of one evaluation, or of one preparation, have written so far.

    A key that was prepared per kind of atom is read as one row per center.
    """

    def __missing__(self, key: str) -> Tensor:
        rows = dict.__getitem__(self, "static")[key]
        graph = self["input"]
        return rows.index_select(0, graph.topology.kind[: graph.n_center])


@dataclass
class Build:
    """What a module may need to know when it is built.

    Attributes
    ----------
    widths
        Width of every key written so far.
    graphs, switches
        Cutoff of each edge list; kind and exponent (None: a parameter) of its switch.
    blocks
        Blocks of elements that have parameters.
    tables
        Extra arrays of the checkpoint, by module.
    static, per_system
        Keys with one row per kind of atom, and with one per system.
    flat
        Keys whose arrays have one axis in FeNNol; here a single column.
    """

    widths: dict[str, int]
    graphs: dict[str, float]
    blocks: tuple[str, ...]
    tables: dict[str, Any]
    switches: dict[str, tuple[str, float | None]] = field(default_factory=dict)
    static: set[str] = field(default_factory=set)
    per_system: set[str] = field(default_factory=set)
    flat: set[str] = field(default_factory=set)

    def width(self, key: str) -> int:
        """Width of a key that a module reads; ModelError when none before it writes it."""
        if key not in self.widths:
            raise ModelError(f"it reads {key!r}, which no module before it writes")
        return self.widths[key]

    def add(self, key: str, width: int, flat: bool = False, static: bool = False,
            per_system: bool = False) -> None:
        """Announce a key that a module writes, new or again."""
        self.widths[key] = width
        for keys, member in ((self.static, static), (self.per_system, per_system),
                             (self.flat, flat)):
            (keys.add if member else keys.discard)(key)


class FnxModule(nn.Module):
    """Base of the registered modules.

    Attributes
    ----------
    reads, writes
        Keys.
    elements
        Atomic numbers a module is limited to; None means no limit of its own.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    elements: tuple[int, ...] | None = None

    def prepare(self, static: State) -> None:
        """Compute what depends on the composition only; default: nothing."""

    def run(self, state: State) -> None:
        """Compute what depends on positions; default: nothing."""


class RowModule(FnxModule):
    """A module whose result for a row depends on that row of its inputs alone."""

    is_static = False

    def compute(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """One (rows, width) array per key written, from those of the keys read."""
        raise NotImplementedError

    def connect(self, build: Build, widths: tuple[int, ...], flat: bool = False) -> None:
        """Announce the keys written, which are of the kind of the keys read."""
        self.is_static = all(key in build.static for key in self.reads)
        per_system = [key in build.per_system for key in self.reads]
        if any(per_system) != all(per_system):
            raise ModelError("it mixes numbers per atom and per system")
        for key, width in zip(self.writes, widths, strict=True):
            build.add(key, width, flat, self.is_static, all(per_system))

    def prepare(self, static: State) -> None:
        """Per composition; see the base class."""
        if self.is_static:
            self._write(static)

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        if self.is_static:
            for key in self.writes:
                state.pop(key, None)  # what an earlier module wrote under this name
        else:
            self._write(state)

    def _write(self, state: State) -> None:
        results = self.compute(*(state[key] for key in self.reads))
        state.update(zip(self.writes, results, strict=True))


REGISTRY: dict[str, Callable[[str, dict, Build], FnxModule]] = {}


def register(name: str):
    """Class decorator: make a module known under its (case-insensitive) identifier."""

    def add(cls):
        REGISTRY[name.lower()] = cls
        return cls

    return add


def build_module(name: str, params: dict, build: Build) -> FnxModule:
    """Construct one entry of the module list.

    Raises
    ------
    ModelError
        For an unknown identifier, and for settings that cannot be followed; names the entry.
    """
    kind = identifier(name, params)
    if kind not in REGISTRY:
        shown = params.get("module_name", params.get("FID", name))
        known = ", ".join(sorted(REGISTRY))
        raise ModelError(f"module {shown!r} is not supported: supported modules are {known}")
    try:
        settings = Settings(params)
        module = REGISTRY[kind](name, settings, build)
        settings.refuse_unasked()
    except ModelError as error:
        raise ModelError(f"module {name!r} ({kind}): {error}") from None
    for key in module.reads:
        if key not in build.widths:
            raise ModelError(f"module {name!r} reads {key!r}, which no module before it writes")
    return module
