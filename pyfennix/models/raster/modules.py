# SPDX-License-Identifier: MIT
"""The modules of a ``.fnx`` module list that pyfennix knows, by their FeNNol identifiers.

Every module declares the keys it reads and writes. ``prepare`` runs once per composition, on one
row per element; ``run`` runs at every evaluation, on the centers. A new module of the format is
one class with a ``@register`` line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from pyfennix.exceptions import ModelError
from pyfennix.models.raster.elements import covalent_radii, electronic_structure
from pyfennix.models.raster.embedding import Raster, RasterConfig
from pyfennix.models.raster.layers import BlockNet, NeuralNet
from pyfennix.models.raster.repulsion import RepulsionNLH, RepulsionZBL

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


def _only(params: dict, key: str, *allowed) -> None:
    """Refuse a setting that is valid in FeNNol but not implemented here."""
    if key in params and params[key] not in allowed:
        raise ModelError(f"{key} = {params[key]!r} is not supported: use {allowed[0]!r}")


@register("species_encoding")
class SpeciesEncoding(FnxModule):
    """Electronic structure of each element."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        _only(params, "encoding", "electronic_structure")
        _only(params, "zmax", 86)
        self.key = params.get("output_key", name)
        self.writes = (self.key,)
        build.widths[self.key] = 20

    def prepare(self, static: State) -> None:
        table = torch.as_tensor(electronic_structure(static["numbers"]))
        static[self.key] = table.to(static["like"])


@register("neural_net")
class NeuralNetModule(NeuralNet, FnxModule):
    """Dense network on rows per element."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        _only(params, "activation", "swish", "silu")
        self.source = params["input_key"]
        self.key = params.get("output_key", name)
        self.reads, self.writes = (self.source,), (self.key,)
        neurons = [int(n) for n in params["neurons"]]
        NeuralNet.__init__(self, build.widths[self.source], neurons, params.get("use_bias", True))
        build.widths[self.key] = neurons[-1]

    def prepare(self, static: State) -> None:
        static[self.key] = self(static[self.source])


@register("concatenate")
class Concatenate(FnxModule):
    """Columns side by side, per element."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        _only(params, "axis", -1)
        self.reads = tuple(params["keys"])
        self.key = params.get("output_key", name)
        self.writes = (self.key,)
        build.widths[self.key] = sum(build.widths[k] for k in self.reads)

    def prepare(self, static: State) -> None:
        static[self.key] = torch.cat([static[k] for k in self.reads], dim=1)


@register("charge_hypothesis")
class ChargeHypothesis(FnxModule):
    """Charges per element that sum to the total charge of the whole system (notes §4)."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        _only(params, "mode", "qeq")
        self.source = params["embedding_key"]
        self.key = params.get("output_key", name)
        self.reads, self.writes = (self.source,), (self.key,)
        n = int(params.get("ncharges", 10))
        width = build.widths[self.source]
        self.wi, self.qi = NeuralNet(width, [n]).Layer_1, NeuralNet(width, [n]).Layer_1
        build.widths[self.key] = n

    def prepare(self, static: State) -> None:
        e, counts = static[self.source], static["counts"]
        weight = torch.nn.functional.softplus(self.wi(e))
        charge = self.qi(e)
        missing = static["total_charge"] - (counts * charge).sum(0)
        static[self.key] = charge + weight * missing / (counts * weight).sum(0)


@register("raster")
class RasterModule(Raster, FnxModule):
    """The embedding; see embedding.py."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        source = params["species_encoding"]
        basis = params.get("radial_basis", {"dim": 10, "basis": "bessel"})
        _only(basis, "basis", "bessel")
        _only(params, "ignore_parity", False)
        _only(params, "activation", "swish", "silu")
        _only(params, "att_activation", "swish", "silu")
        config = {f.name: params[f.name] for f in fields(RasterConfig) if f.name in params}
        config["radial_dim"] = int(basis.get("dim", 10))
        graph_key, lode_key = params.get("graph_key", "graph"), params.get("graph_lode")
        config["cutoff"] = build.graphs[graph_key]
        if lode_key is None:
            config["lode_channels"] = 0
        else:
            config["lode_cutoff"] = build.graphs[lode_key]
            config.setdefault("lode_channels", 1)
        self.source, self.graph_key, self.lode_key = source, graph_key, lode_key
        self.key = params.get("embedding_key", name)
        self.reads, self.writes = (source,), (self.key,)
        Raster.__init__(self, RasterConfig(**config), build.widths[source], build.blocks)
        self.own_name = name
        build.widths[self.key] = self.config.dim

    def prepare(self, static: State) -> None:
        radii = torch.as_tensor(covalent_radii(static["numbers"])).to(static["like"])
        static[f"{self.own_name}/static"] = self.static(static[self.source], radii)

    def run(self, state: State) -> None:
        graph = state["input"]
        lode_edges = None if self.lode_key is None else state["graphs"][self.lode_key]
        state[self.key], state[self.key + "_tensor"] = self(
            state["static"][f"{self.own_name}/static"], graph.topology.kind,
            state["graphs"][self.graph_key], lode_edges, state["partition"], graph.n_center,
        )


@register("block_index_net")
class BlockIndexNet(BlockNet, FnxModule):
    """One network per block of elements on the centers."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        _only(params, "activation", "swish", "silu")
        self.source = params["input_key"]
        self.key = params.get("output_key", name)
        self.reads, self.writes = (self.source,), (self.key,)
        n_out = int(params.get("output_dim", 1))
        neurons = [*(int(n) for n in params["hidden_neurons"]), n_out]
        BlockNet.__init__(self, build.blocks, build.widths[self.source], neurons,
                          params.get("use_bias", True))
        build.widths[self.key] = n_out

    def run(self, state: State) -> None:
        state[self.key] = self(state[self.source], state["partition"])


class _Repulsion(FnxModule):
    """What the repulsions share: a table per composition, energies per center in eV."""

    def _set_up(self, name: str, params: dict, build: Build) -> None:
        _only(params, "trainable", False)
        self.own_name, self.graph_key = name, params.get("graph_key", "graph")
        self.key = params.get("energy_key", params.get("output_key", name))
        self.writes = (self.key,)
        build.widths[self.key] = 1

    def prepare(self, static: State) -> None:
        static[f"{self.own_name}/table"] = self.table(static["numbers"], static["like"])

    def run(self, state: State) -> None:
        table = state["static"][f"{self.own_name}/table"]
        energy = self(table, state["graphs"][self.graph_key]) / state["energy_in_ev"]
        state[self.key] = energy.unsqueeze(1)


@register("pyfennix_zbl")
class ZBLModule(_Repulsion, RepulsionZBL):
    """Universal screened nuclear repulsion, ours: FeNNol has no such module."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        RepulsionZBL.__init__(self, params.get("ranges", ()), float(params.get("p", 6.0)))
        self._set_up(name, params, build)


@register("repulsion_nlh")
class NLHModule(_Repulsion, RepulsionNLH):
    """Screened nuclear repulsion with coefficients stored in the checkpoint."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        if name not in build.tables:
            raise ModelError(
                f"module {name!r} (repulsion_nlh) needs a coefficient table in the checkpoint"
            )
        table = build.tables[name]
        elements = [int(z) for z in table["elements"]]
        RepulsionNLH.__init__(self, elements, table["a"], table["b"])
        self._set_up(name, params, build)


@register("reshape")
class Reshape(FnxModule):
    """Only to or from a single column, which is how centers are kept here anyway."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        if list(params["shape"]) not in ([-1, 1], [-1]):
            raise ModelError(f"reshape to {params['shape']} is not supported: use [-1, 1]")
        self.source, self.key = params["key"], params.get("output_key", params["key"])
        self.reads, self.writes = (self.source,), (self.key,)
        build.widths[self.key] = build.widths[self.source]

    def run(self, state: State) -> None:
        state[self.key] = state[self.source]


@register("add")
class Add(FnxModule):
    """Sum of columns, a single column being added to all."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        self.reads = tuple(params["keys"])
        self.key = params.get("output_key", name)
        self.writes = (self.key,)
        build.widths[self.key] = max(build.widths[k] for k in self.reads)

    def run(self, state: State) -> None:
        total: Tensor = state[self.reads[0]]
        for key in self.reads[1:]:
            total = total + state[key]
        state[self.key] = total


@register("ensemble_stat")
class EnsembleStat(FnxModule):
    """Mean and unbiased variance over the last axis."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        self.source = params["key"]
        self.mean = params.get("mean_key") or self.source + "_mean"
        self.var = params.get("var_key") or self.source + "_var"
        self.reads, self.writes = (self.source,), (self.mean, self.var)
        build.widths[self.mean] = build.widths[self.var] = 1

    def run(self, state: State) -> None:
        members = state[self.source]
        state[self.mean] = members.mean(1, keepdim=True)
        state[self.var] = members.var(1, keepdim=True)


@register("scatter_system")
class ScatterSystem(FnxModule):
    """Sums over the system; never part of an energy per atom, so never run."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        self.reads = (params["key"],)
        self.key = params.get("output_key", name)
        self.writes = (self.key,)
        build.widths[self.key] = build.widths[params["key"]]
