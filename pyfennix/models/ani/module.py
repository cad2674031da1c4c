# SPDX-License-Identifier: MIT
"""The ANI family as entries of a module list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pyfennix.exceptions import ModelError
from pyfennix.models.ani import kernel
from pyfennix.models.ani.aev import NUMBERS, SIZES, AevConfig, environment_vectors
from pyfennix.models.ani.networks import ElementNets
from pyfennix.models.fnx.activations import activation
from pyfennix.models.fnx.modules import Build, FnxModule, State, register
from pyfennix.models.fnx.settings import flag, number, only, required, text, texts, whole, wholes
from pyfennix.models.graph import Graph, Topology
from pyfennix.models.interface import SYMBOLS


def _numbers(symbols: Iterable[str]) -> tuple[int, ...]:
    """Atomic numbers of chemical symbols."""
    found = []
    for symbol in symbols:
        if symbol not in SYMBOLS[1:]:
            raise ModelError(f"{symbol!r} is no chemical symbol")
        found.append(SYMBOLS.index(symbol))
    if len(set(found)) != len(found):
        raise ModelError(f"an element appears twice in {list(symbols)}")
    return tuple(found)


def _species(topology: Topology, elements: tuple[int, ...]) -> Tensor:
    """(n_total,) int64, each atom's place in ``elements``; computed once per topology."""
    key = ("species", elements)
    if key not in topology.cache:
        numbers = topology.numbers
        table = torch.full((len(SYMBOLS) + 1,), -1, dtype=torch.int64, device=numbers.device)
        table[list(elements)] = torch.arange(len(elements), device=numbers.device)
        species = table.index_select(0, numbers)
        if bool((species < 0).any()):
            number = int(numbers[(species < 0).nonzero()[0, 0]])
            known = ", ".join(SYMBOLS[z] for z in elements)
            raise ModelError(f"element {SYMBOLS[number]} has no network: it exists for {known}")
        topology.cache[key] = species
    return topology.cache[key]


@register("ani_aev")
class AniAevModule(FnxModule):
    """Atomic environment vectors; see aev.py."""

    def __init__(self, name: str, params: Mapping, build: Build) -> None:
        super().__init__()
        self.graph_key = text(params, "graph_key", "graph")
        self.angle_key = text(params, "graph_angle_key")
        keys = (self.graph_key, self.angle_key)
        for key in keys:
            if key not in build.graphs:
                known = ", ".join(build.graphs)
                raise ModelError(f"there is no graph {key!r}: expected one of {known}")
        self.elements = _numbers(texts(params, "species_order"))
        self.config = AevConfig(
            n_species=len(self.elements), radial_cutoff=build.graphs[self.graph_key],
            angular_cutoff=build.graphs[self.angle_key],
            **{key: number(params, key, default) for key, default in NUMBERS.items()},
            **{key: whole(params, key, default, high=1024) for key, default in SIZES.items()},
        )
        self.has_kernel = all(build.switches[key] == kernel.SWITCH for key in keys)
        self.key = text(params, "embedding_key", "embedding")
        self.writes = (self.key,)
        build.add(self.key, self.config.width)

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        graph = state["input"]
        species = _species(graph.topology, self.elements)
        if self.has_kernel and state["native"]:
            state[self.key] = kernel.environment_vectors(self.config, species, graph)
            return
        graphs = state["graphs"]
        state[self.key] = environment_vectors(
            self.config, species, graphs[self.graph_key], graphs[self.angle_key]
        )


@register("species_index_net")
class SpeciesIndexNet(ElementNets, FnxModule):
    """One network per element on the centers."""

    def __init__(self, name: str, params: Mapping, build: Build) -> None:
        self.source = text(params, "input_key")
        self.key = params.get("output_key") or name
        self.reads, self.writes = (self.source,), (self.key,)
        # which atoms are of which element is found without the index that the file names
        text(params, "species_index_key", "species_index")
        only(params, "check_unhandled", True)
        n_out = whole(params, "output_dim")
        neurons = {symbol: [*widths, n_out] for symbol, widths in _hidden(params).items()}
        self.elements = _numbers(neurons)
        ElementNets.__init__(self, build.width(self.source), neurons,
                             flag(params, "use_bias", True),
                             activation(text(params, "activation", "silu")))
        build.add(self.key, n_out, flat=flag(params, "squeeze", False) and n_out == 1)

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        order = _order(state["input"], self.elements)
        # the members of an ensemble read the same rows: they are put in order once
        parts = state.setdefault(f"{self.source} by element", {})
        if self.elements not in parts:
            rows = state[self.source].index_select(0, order.rows).split(order.counts)
            parts[self.elements] = dict(zip(order.symbols, rows, strict=True))
        state[self.key] = self(parts[self.elements]).index_select(0, order.places)


def _hidden(params: Mapping) -> dict[str, list[int]]:
    """Widths of the hidden layers of each element."""
    given = required(params, "hidden_neurons")
    order = params.get("species_order")
    if order is not None:
        order = texts(params, "species_order")
    if not isinstance(given, Mapping):
        if order is None:
            raise ModelError("it names no elements: expected species_order, or hidden_neurons by "
                             "element")
        return dict.fromkeys(order, wholes(params, "hidden_neurons"))
    if not given or set(order or given) - set(given):
        raise ModelError("hidden_neurons lacks an element of species_order")
    return {symbol: wholes({f"hidden_neurons of {symbol}": given[symbol]},
                           f"hidden_neurons of {symbol}") for symbol in order or given}


@dataclass
class _Order:
    """The centers sorted by element: rows in that order, and the place of each center in it."""

    rows: Tensor
    places: Tensor
    symbols: list[str]
    counts: list[int]


def _order(graph: Graph, elements: tuple[int, ...]) -> _Order:
    """The order of the present elements; made once per topology."""
    cache, key = graph.topology.cache, ("order by element", elements)
    if key not in cache:
        species = _species(graph.topology, elements)[: graph.n_center]
        rows = torch.argsort(species, stable=True)
        places = torch.empty_like(rows)
        places[rows] = torch.arange(len(rows), device=rows.device)
        present, counts = torch.unique(species, return_counts=True)
        symbols = [SYMBOLS[elements[s]] for s in present.tolist()]
        # without atoms, an empty part of the first element keeps every step alike
        cache[key] = _Order(rows, places, symbols or [SYMBOLS[elements[0]]],
                            counts.tolist() or [0])
    return cache[key]


@register("chemical_constant")
class ChemicalConstant(FnxModule):
    """One number per element, such as the energy of a lone atom.

    Always written in float64: it needs no geometry, and rounding -75 Ha per atom to float32
    would cost more than all other rounding together.
    """

    def __init__(self, name: str, params: Mapping, build: Build) -> None:
        super().__init__()
        value = required(params, "value")
        by_element = isinstance(value, Mapping)
        values = list(value.values()) if by_element else [value]
        if any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
            raise ModelError("value is neither a number nor a map from elements to numbers")
        constant = torch.zeros(len(SYMBOLS))
        if by_element:
            constant[list(_numbers(value))] = torch.tensor([float(v) for v in values])
        else:
            constant.fill_(float(value))
        if flag(params, "trainable", False):
            self.constant = nn.Parameter(constant)
        else:
            self.register_buffer("constant", constant, persistent=False)
        self.key = params.get("output_key") or name
        self.writes = (self.key,)
        build.add(self.key, 1, flat=True)

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        graph = state["input"]
        numbers = graph.numbers[: graph.n_center]
        state[self.key] = self.constant.double().index_select(0, numbers).unsqueeze(1)
