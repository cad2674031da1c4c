# SPDX-License-Identifier: MIT
"""The preprocessing list of a ``.fnx`` file: edge lists, their switches, the blocks of elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.edges import (
    DEFAULT_POWERS,
    Edges,
    all_edges,
    filter_edges,
)
from pyfennix.models.fnx.settings import flag, identifier, number, only, text
from pyfennix.models.graph import Graph, Topology

_SUPPORTED = "graph, graph_filter, graph_angular_extension, species_indexer, block_indexer"


class Preprocessing(nn.Module):
    """Settings of every edge list; a trainable exponent of a switch is a parameter of this.

    Attributes
    ----------
    cutoffs
        Cutoff in Å of each edge list, by name; "graph" is the model's own.
    filters
        The list that each of the others is a part of.
    split_blocks
        Whether C, N, O, P, S and Se are blocks of their own.
    """

    def __init__(self, cutoff: float, entries: Sequence) -> None:
        super().__init__()
        self.cutoffs = {"graph": cutoff}
        self.filters: dict[str, str] = {}
        self.split_blocks = False
        self._switches: dict[str, tuple[str, str, float]] = {}
        for entry, params in entries:
            kind = identifier(entry, params)
            if kind == "graph":
                self._add_switch("graph", "graph_Processor", params)
            elif kind == "graph_filter":
                self._add_filter(entry, params)
            elif kind == "block_indexer":
                self.split_blocks = flag(params, "split_CNOPSSe", False)
            elif kind not in ("graph_angular_extension", "species_indexer"):
                # these two only announce what the modules that need it derive themselves
                raise ModelError(
                    f"preprocessing {kind!r} is not supported: supported are {_SUPPORTED}"
                )
        if "graph" not in self._switches:
            self._add_switch("graph", "graph_Processor", {})

    def _add_filter(self, entry: str, params: Mapping) -> None:
        key = text(params, "graph_key", entry)
        parent = text(params, "parent_graph", "graph")
        only(params, "remove_hydrogens", False)
        if key in self.cutoffs or parent not in self.cutoffs:
            raise ModelError(
                f"graph_filter {entry!r} makes {key!r} from {parent!r}: expected a new name and "
                f"one of {', '.join(self.cutoffs)}"
            )
        # a part reaches no further than the whole, whatever it asks for
        self.cutoffs[key] = number(params, "cutoff")
        if self.cutoffs[key] > self.cutoffs[parent]:
            raise ModelError(f"graph_filter {entry!r} has a larger cutoff than {parent!r}")
        self.filters[key] = parent
        self._add_switch(key, f"{key}_Filter_{parent}", params)

    def _add_switch(self, key: str, owner: str, entry: Mapping) -> None:
        params = entry.get("switch_params") or {}
        if not isinstance(params, Mapping):
            raise ModelError(f"switch_params of the graph {key!r} is not a map")
        only(params, "switch_start", 0.0, None)
        kind = text(params, "switch_type", "cosine").lower()
        if kind not in DEFAULT_POWERS:
            raise ModelError(f"switch_type {kind!r} is not supported: "
                             f"supported are {', '.join(DEFAULT_POWERS)}")
        given = params.get("p")
        p = DEFAULT_POWERS[kind] if given is None else number(params, "p")
        self._switches[key] = (owner, kind, p)
        if flag(params, "trainable", False) and kind != "hard":
            holder = nn.Module()
            holder.p = nn.Parameter(torch.tensor(p))
            self.add_module(owner, nn.ModuleDict({"SwitchFunction_0": holder}))

    @property
    def kinds(self) -> dict[str, tuple[str, float | None]]:
        """Kind of each list's switch, and its exponent; None when that is a parameter."""
        return {key: (kind, None if owner in self._modules else p)
                for key, (owner, kind, p) in self._switches.items()}

    def switch(self, key: str) -> tuple[str, Tensor | float]:
        """Kind and present exponent of a list's switch."""
        owner, kind, p = self._switches[key]
        return kind, self._modules[owner]["SwitchFunction_0"].p if owner in self._modules else p


class EdgeLists:
    """The edge lists of one evaluation, each made when it is first asked for.

    Parameters
    ----------
    settings, graph
        What lists there are, and the pairs to choose from.
    native
        Whether compiled kernels are to work on them.
    fennol_exact
        See :class:`pyfennix.models.fnx.model.FennixModel`.
    """

    def __init__(self, settings: Preprocessing, graph: Graph, native: bool,
                 fennol_exact: bool) -> None:
        self._settings, self._graph = settings, graph
        self._native, self._exact = native, fennol_exact
        self._plain: dict[str, Edges] = {}
        self._made: dict[str, Edges] = {}

    def __getitem__(self, key: str) -> Edges:
        """The list, with its switch."""
        if key not in self._made:
            edges = self._list(key)
            edges.switch_settings = (self._settings.cutoffs[key], *self._settings.switch(key),
                                     self._exact)
            edges.pair_rows = _pair_rows(self._graph.topology)
            self._made[key] = edges
        return self._made[key]

    def _list(self, key: str) -> Edges:
        """The list in the order of the graph."""
        if key not in self._plain:
            if key == "graph":
                edges = all_edges(self._graph)
                edges.native = self._native
            else:
                parent = self._list(self._settings.filters[key])
                edges = filter_edges(parent, self._settings.cutoffs[key])
            self._plain[key] = edges
        return self._plain[key]


def _pair_rows(topology: Topology) -> tuple[Tensor, Tensor, int]:
    """(n_total,) row and column whose sum is the number of a pair of kinds; number of pairs."""
    if "pair rows" not in topology.cache:
        row, column = topology.systems.pair_rows()
        count = len(topology.systems.pairs()[0])
        kind = topology.kind
        topology.cache["pair rows"] = (
            torch.as_tensor(row, device=kind.device).index_select(0, kind),
            torch.as_tensor(column, device=kind.device).index_select(0, kind),
            count,
        )
    return topology.cache["pair rows"]
