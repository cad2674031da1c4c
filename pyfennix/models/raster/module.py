# SPDX-License-Identifier: MIT
"""RASTER as an entry of a module list."""

from __future__ import annotations

from dataclasses import fields

import torch

from pyfennix.models.fnx.elements import covalent_radii
from pyfennix.models.fnx.modules import Build, FnxModule, State, only, register
from pyfennix.models.raster.config import RasterConfig
from pyfennix.models.raster.embedding import Raster


@register("raster")
class RasterModule(Raster, FnxModule):
    """The embedding; see embedding.py."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        source = params["species_encoding"]
        basis = params.get("radial_basis", {"dim": 10, "basis": "bessel"})
        only(basis, "basis", "bessel")
        only(params, "ignore_parity", False)
        only(params, "activation", "swish", "silu")
        only(params, "att_activation", "swish", "silu")
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
        """Per composition; see the base class."""
        radii = torch.as_tensor(covalent_radii(static["numbers"])).to(static["like"])
        static[f"{self.own_name}/static"] = self.static(static[self.source], radii)

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        graph = state["input"]
        lode_edges = None if self.lode_key is None else state["graphs"][self.lode_key]
        state[self.key], state[self.key + "_tensor"] = self(
            state["static"][f"{self.own_name}/static"], graph.topology.kind,
            state["graphs"][self.graph_key], lode_edges, state["partition"], graph.n_center,
        )
