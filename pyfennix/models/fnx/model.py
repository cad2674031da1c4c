# SPDX-License-Identifier: MIT
"""A model made of a ``.fnx`` module list: static part once per composition, the rest per step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pyfennix import units
from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.edges import add_switch, all_edges, filter_edges, sort_by_pair
from pyfennix.models.fnx.elements import BLOCK_NAMES, BLOCK_OF, block_of
from pyfennix.models.fnx.layers import Partition
from pyfennix.models.fnx.library import FAMILIES  # noqa: F401  registers the modules
from pyfennix.models.fnx.modules import Build, build_module
from pyfennix.models.fnx.modules_static import ChargeHypothesis
from pyfennix.models.graph import Graph, Topology
from pyfennix.models.interface import Model
from pyfennix.models.raster.module import RasterModule


class FennixModel(Model):
    """RASTER-type potentials.

    Parameters
    ----------
    config
        ``cutoff``, ``preprocessing``, ``modules`` (lists of [name, parameters]), ``energy_terms``
        and ``energy_unit``, as in a ``.fnx`` file.
    elements
        Atomic numbers the model is meant for; None means every element of its blocks.
    blocks
        Blocks of elements that have parameters; None means all.
    tables
        Extra arrays by module name (coefficients of ``repulsion_nlh``).
    name
        Used in messages.

    Attributes
    ----------
    fennol_exact
        In float64, follow FeNNol where it rounds to float32 (default), or compute exactly.

    Raises
    ------
    ModelError
        For a module or setting that is not supported.
    """

    fennol_exact: bool = True

    def __init__(self, config: Mapping, elements: Sequence[int] | None = None,
                 blocks: Sequence[str] | None = None, tables: Mapping | None = None,
                 name: str = "fennix") -> None:
        super().__init__()
        self.config, self.name = dict(config), name
        self.cutoff = float(config["cutoff"])
        self.energy_unit = config.get("energy_unit") or "Ha"
        self._energy_in_ev = units.energy_in_kcal(self.energy_unit) / units.EV_IN_KCAL
        self.split_blocks = False
        self.switches = nn.ModuleDict()
        self._filters: dict[str, tuple[str, float]] = {}
        self._powers: dict[str, tuple[str, float] | None] = {}
        cutoffs = self._read_preprocessing(config["preprocessing"])
        blocks = tuple(blocks) if blocks is not None else BLOCK_NAMES
        known = tuple(z for z in BLOCK_OF if block_of(z, self.split_blocks) in blocks)
        self.elements = tuple(sorted(known if elements is None else elements))
        build = Build(widths={}, graphs=cutoffs, blocks=blocks, tables=dict(tables or {}))
        self.parts = nn.ModuleDict()
        for entry, params in config["modules"]:
            self.parts[entry] = build_module(entry, params, build)
        self.energy_terms = config["energy_terms"]
        if isinstance(self.energy_terms, str):
            self.energy_terms = [self.energy_terms]
        self._needed = self._live_modules()
        self._describe()
        self._static_cache: tuple | None = None
        # walking the module tree at every evaluation would cost more than some layers
        self._parameter_list: list[nn.Parameter] | None = None

    def _read_preprocessing(self, preprocessing) -> dict[str, float]:
        """Set up graphs, their switches, and the block indexer; returns cutoffs by name."""
        cutoffs = {"graph": self.cutoff}
        self._add_switch("graph", "graph_Processor", {})
        for entry, params in preprocessing:
            kind = str(params.get("module_name", params.get("FID", entry))).lower()
            if kind == "graph":
                self._add_switch("graph", "graph_Processor", params.get("switch_params", {}))
            elif kind == "graph_filter":
                key, parent = params.get("graph_key", entry), params.get("parent_graph", "graph")
                if params.get("remove_hydrogens", False):
                    raise ModelError("GRAPH_FILTER with remove_hydrogens is not supported")
                cutoffs[key] = float(params["cutoff"])
                self._filters[key] = (parent, cutoffs[key])
                self._add_switch(key, f"{key}_Filter_{parent}", params.get("switch_params", {}))
            elif kind == "block_indexer":
                self.split_blocks = bool(params.get("split_CNOPSSe", False))
            else:
                raise ModelError(f"preprocessing {kind!r} is not supported: "
                                 "supported are graph, graph_filter, block_indexer")
        return cutoffs

    def _add_switch(self, key: str, owner: str, params: Mapping) -> None:
        """Remember the switch of a graph; a trainable exponent becomes a parameter."""
        switch = str(params.get("switch_type", "cosine")).lower()
        self._powers[key] = None
        if switch != "polynomial":
            return
        p = float(params.get("p", 3.0))
        self._powers[key] = (owner, p)
        if params.get("trainable", False):
            holder = nn.Module()
            holder.p = nn.Parameter(torch.tensor(p))
            self.switches[owner] = nn.ModuleDict({"SwitchFunction_0": holder})

    def _switch_power(self, key: str) -> Tensor | float | None:
        if self._powers[key] is None:
            return None
        owner, p = self._powers[key]
        return self.switches[owner]["SwitchFunction_0"].p if owner in self.switches else p

    def _live_modules(self) -> list[nn.Module]:
        """The modules an energy depends on, in order: other heads are never evaluated."""
        needed, live = set(self.energy_terms), []
        for module in reversed(self.parts.values()):
            if needed & set(module.writes):
                needed = (needed - set(module.writes)) | set(module.reads)
                live.append(module)
        if needed:
            raise ModelError(f"energy term {sorted(needed)[0]!r} is written by no module")
        return live[::-1]

    def _describe(self) -> None:
        """Derive range and needs from the modules."""
        self.uses_total_charge = any(isinstance(m, ChargeHypothesis) for m in self._needed)
        self.center_range = 0.0
        self.interaction_range = self.cutoff
        self._raster_graphs = set()
        for module in self._needed:
            if isinstance(module, RasterModule):
                c = module.config
                # what a center of the last layer reads, then one short step per earlier layer
                reach = max(c.cutoff, c.lode_cutoff if module.lode is not None else 0.0)
                self.interaction_range = max(self.cutoff, reach + (c.nlayers - 1) * c.cutoff)
                self.center_range = reach + (c.nlayers - 2) * c.cutoff if c.nlayers > 1 else 0.0
                self.exchanges_features = c.nlayers > 1
                self._raster_graphs.add(module.graph_key)

    @property
    def exchange(self) -> nn.Module:
        """The hook between layers (see exchange.py); assign to replace it."""
        return next(m for m in self.parts.values() if isinstance(m, RasterModule)).exchange

    @exchange.setter
    def exchange(self, hook: nn.Module) -> None:
        for module in self.parts.values():
            if isinstance(module, RasterModule):
                module.exchange = hook

    def _apply(self, fn, recurse: bool = True):
        """Called by ``to``, ``cuda``, ``double``…, which may replace parameters."""
        self._parameter_list = self._static_cache = None
        return super()._apply(fn, recurse)

    def forward(self, graph: Graph) -> Tensor:
        """(n_center,) energies in ``energy_unit``."""
        state = {
            "input": graph,
            "static": self._static(graph),
            "partition": self._partition(graph.topology),
            "graphs": self._graphs(graph),
            "energy_in_ev": self._energy_in_ev,
        }
        for module in self._needed:
            module.run(state)
        return sum(state[key].sum(1) for key in self.energy_terms)

    def _graphs(self, graph: Graph) -> dict:
        """All edge lists: the graph's own and its filtered parts, with their switches."""
        edges = {"graph": all_edges(graph)}
        for key, (parent, cutoff) in self._filters.items():
            edges[key] = filter_edges(edges[parent], cutoff)
        cutoffs = {"graph": self.cutoff} | {k: c for k, (_, c) in self._filters.items()}
        for key, cutoff in cutoffs.items():
            if key in self._raster_graphs:
                edges[key] = sort_by_pair(edges[key], graph.topology.kind, len(graph.composition))
            power = self._switch_power(key)
            if power is not None:
                add_switch(edges[key], cutoff, power, self.fennol_exact)
        return edges

    def _static(self, graph: Graph) -> dict:
        """One row per element; kept until composition, charge or weights change."""
        if self._parameter_list is None:
            self._parameter_list = list(self.parameters())
        parameters = self._parameter_list
        training = torch.is_grad_enabled() and any(p.requires_grad for p in parameters)
        like = parameters[0]
        key = (graph.composition, graph.total_charge, like.device, like.dtype,
               tuple((p.data_ptr(), p._version) for p in parameters))
        if not training and self._static_cache is not None and self._static_cache[0] == key:
            return self._static_cache[1]
        counts = [n for _, n in graph.composition]
        static = {
            "numbers": [z for z, _ in graph.composition],
            "counts": torch.tensor(counts, dtype=like.dtype, device=like.device).unsqueeze(1),
            "total_charge": graph.total_charge,
            "like": like,
        }
        with torch.set_grad_enabled(training):
            for module in self._needed:
                module.prepare(static)
        if not training:
            self._static_cache = (key, static)
        return static

    def _partition(self, topology: Topology) -> Partition:
        """Rows of the centers by block; one list per topology."""
        key = ("partition", self.split_blocks)
        if key not in topology.cache:
            kind = topology.kind[: topology.n_center]
            blocks: dict[str, list[int]] = {}
            for index, (z, _) in enumerate(topology.composition):
                blocks.setdefault(block_of(z, self.split_blocks), []).append(index)
            topology.cache[key] = [
                (block, torch.isin(kind, torch.tensor(kinds, device=kind.device))
                 .nonzero().squeeze(1))
                for block, kinds in blocks.items()
            ]
        return topology.cache[key]
