# SPDX-License-Identifier: MIT
"""The two shipped water architectures as ``.fnx`` descriptions."""

from __future__ import annotations

from pyfennix.models.fnx.model import FennixModel

_SIZES = {
    "accurate": {
        "cutoff": 7.0, "short": 4.2, "species": [32, 64], "head": [64, 32],
        "raster": {"dim": 64, "lmax": 2, "scal_heads": 8, "tens_heads": 4, "att_dim": 8,
                   "nlayers": 2, "update_hidden": [64, 64], "lmax_lode": 2, "lode_channels": 2,
                   "lode_extra_powers": [6, 8, 10], "lode_rshort": 1.75, "lode_dshort": 1.75,
                   "positional_hidden": 32},
    },
    "fast": {
        "cutoff": 3.5, "short": None, "species": [32, 48], "head": [48, 24],
        "raster": {"dim": 48, "lmax": 2, "scal_heads": 8, "tens_heads": 4, "att_dim": 16,
                   "nlayers": 1, "update_hidden": [64, 48]},
    },
}  # fmt: skip


def water_config(level: str) -> dict:
    """The description of ``accurate`` or ``fast``."""
    size = _SIZES[level]
    switch = {"switch_type": "polynomial", "p": 4.0, "trainable": True}
    preprocessing: list = [["block_indexer",
                            {"module_name": "BLOCK_INDEXER", "split_CNOPSSe": True}]]
    raster = dict(size["raster"])
    if size["short"] is None:
        short = "graph"
        preprocessing.insert(0, ["graph", {"switch_params": switch}])
    else:
        short = "graph_embed"
        raster["graph_lode"] = "graph"
        preprocessing[:0] = [
            ["graph", {"switch_params": {"switch_type": "hard"}}],
            [short, {"module_name": "GRAPH_FILTER", "cutoff": size["short"], "graph_key": short,
                     "parent_graph": "graph", "switch_params": switch}],
        ]
    raster |= {"module_name": "RASTER", "graph_key": short, "embedding_key": "embedding",
               "species_encoding": "species_embedding", "block_index_key": "block_index",
               "activation": "swish", "att_activation": "swish",
               "radial_basis": {"dim": 8, "basis": "bessel", "trainable": False}}
    modules = [
        ["species_encoding", {"module_name": "species_encoding",
                              "encoding": "electronic_structure", "zmax": 86}],
        ["species_embedding", {"module_name": "NEURAL_NET", "neurons": size["species"],
                               "activation": "swish", "input_key": "species_encoding"}],
        ["embedding", raster],
        ["nn_energies", {"module_name": "BLOCK_INDEX_NET", "output_dim": 1, "activation": "swish",
                         "hidden_neurons": size["head"], "block_index_key": "block_index",
                         "input_key": "embedding", "squeeze": True}],
        ["repulsion", {"module_name": "pyfennix_zbl", "graph_key": short, "p": 6.0,
                       "ranges": [[1, 1, 1.4], [1, 8, 1.0], [8, 8, 2.4]]}],
    ]
    return {"cutoff": size["cutoff"], "preprocessing": preprocessing, "modules": modules,
            "energy_terms": ["nn_energies", "repulsion"], "energy_unit": "eV"}


def water_model(level: str) -> FennixModel:
    """An untrained model of that level."""
    return FennixModel(water_config(level), elements=(1, 8), blocks=("H", "O"),
                       name=f"water-{level}")
