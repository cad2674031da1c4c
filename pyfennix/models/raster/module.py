# SPDX-License-Identifier: MIT
"""RASTER as an entry of a module list."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch

from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.elements import MAX_NUMBER, covalent_radii
from pyfennix.models.fnx.modules import Build, FnxModule, State, register
from pyfennix.models.fnx.settings import number, only, required, text, whole, wholes
from pyfennix.models.raster.compiled import compilable
from pyfennix.models.raster.compiled import embed as compiled_embedding
from pyfennix.models.raster.config import RasterConfig
from pyfennix.models.raster.embedding import Raster


@register("raster")
class RasterModule(Raster, FnxModule):
    """The embedding; see embedding.py."""

    elements = tuple(range(1, MAX_NUMBER + 1))

    def __init__(self, name: str, params: dict, build: Build) -> None:
        self.own_name = name
        self.source = text(params, "species_encoding")
        self.graph_key = text(params, "graph_key", "graph")
        lode = params.get("graph_lode")
        self.lode_key = None if lode is None else text(params, "graph_lode")
        self.key = text(params, "embedding_key", "embedding")
        text(params, "block_index_key")
        _refuse_variants(params)
        for key in (self.graph_key, self.lode_key):
            if key is not None and key not in build.graphs:
                raise ModelError(f"it reads the graph {key!r}, which does not exist")
        if self.source not in build.static:
            build.width(self.source)
            raise ModelError(f"species_encoding = {self.source!r} depends on positions")
        config = _sizes(params)
        config.cutoff = build.graphs[self.graph_key]
        if self.lode_key is None:
            config.lode_channels = 0
        else:
            config.lode_cutoff = build.graphs[self.lode_key]
        Raster.__init__(self, config, build.width(self.source), build.blocks)
        self.reads, self.writes = (self.source,), (self.key, self.key + "_tensor")
        build.add(self.key, config.dim)
        build.add(self.key + "_tensor", config.tens_heads * (config.lmax + 1) ** 2)

    def prepare(self, static: State) -> None:
        """Per composition; see the base class."""
        radii = torch.as_tensor(covalent_radii(static["numbers"])).to(static["like"])
        static[f"{self.own_name}/static"] = self.static(
            static[self.source], radii, static["pairs"]
        )

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        graph, tensor = state["input"], self.key + "_tensor"
        lode_edges = None if self.lode_key is None else state["graphs"][self.lode_key]
        edges = state["graphs"][self.graph_key]
        native = edges.native and compilable(self.config)
        state[self.key], state[tensor] = (partial(compiled_embedding, self) if native else self)(
            state["static"][f"{self.own_name}/static"], graph.topology.kind, edges,
            lode_edges, state["partition"], graph.n_center, tensor in state["wanted"],
        )


def _refuse_variants(params: Mapping) -> None:
    """Settings of FeNNol that change the layers, at any value but their default."""
    for key in ("normalize_vec", "layer_normalization", "layernorm_shift", "update_bias",
                "positional_bias"):
        only(params, key, True)
    for key in ("switch_before_net", "ignore_parity", "additive_positional", "edge_value",
                "normalize_keys", "normalize_components", "keep_all_layers"):
        only(params, key, False)
    only(params, "a_lode", -1.0, -1)


def _sizes(params: Mapping) -> RasterConfig:
    """The sizes a file gives, FeNNol's defaults for the others."""
    basis = required(params, "radial_basis")
    if not isinstance(basis, Mapping):
        raise ModelError("radial_basis is not a map")
    only(basis, "basis", "bessel")
    only(basis, "trainable", False)
    only(basis, "start", 0.0, 0)
    given = {key: text(params, key) for key in
             ("activation", "att_activation", "positional_activation") if key in params}
    given |= {key: number(params, key) for key in
              ("switch_cov_start", "switch_cov_end", "lode_dshort") if key in params}
    if params.get("lode_rshort") is not None:
        given["lode_rshort"] = number(params, "lode_rshort")
    if params.get("positional_hidden") is not None:
        given["positional_hidden"] = whole(params, "positional_hidden")
    for key in ("update_hidden", "lode_extra_powers"):
        if params.get(key):
            given[key] = wholes(params, key)
    default = RasterConfig()
    config = RasterConfig(
        dim=whole(params, "dim", default.dim),
        lmax=whole(params, "lmax", default.lmax, low=0, high=3),
        scal_heads=whole(params, "scal_heads", default.scal_heads),
        tens_heads=whole(params, "tens_heads", default.tens_heads),
        att_dim=whole(params, "att_dim", default.att_dim),
        nlayers=whole(params, "nlayers", default.nlayers, high=8),
        radial_dim=whole(basis, "dim", 10),
        lode_channels=whole(params, "lode_channels", 1),
        lmax_lode=whole(params, "lmax_lode", default.lmax_lode, low=0, high=3),
        **given,
    )
    if config.switch_cov_end <= config.switch_cov_start:
        raise ModelError("switch_cov_end is not larger than switch_cov_start")
    if params.get("graph_lode") is not None:
        whole(params, "lmax_lode", default.lmax_lode, low=0, high=config.lmax)
        whole(params, "lode_channels", 1, high=config.tens_heads)
    return config
