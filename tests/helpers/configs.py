# SPDX-License-Identifier: MIT
"""Descriptions of small models as a ``.fnx`` file holds them."""

from __future__ import annotations


def raster_config(nlayers: int = 2, lode: bool = True) -> dict:
    """A RASTER model of every part that FeNNix-Bio1 has, a thousandth of its size."""
    raster = {
        "module_name": "RASTER", "dim": 12, "lmax": 2, "scal_heads": 2, "tens_heads": 2,
        "att_dim": 3, "nlayers": nlayers, "att_activation": "swish", "activation": "swish",
        "update_hidden": [8], "radial_basis": {"dim": 4, "basis": "bessel"},
        "species_encoding": "species_embedding", "graph_key": "short",
        "block_index_key": "block_index", "embedding_key": "embedding",
    }
    if lode:
        raster |= {"graph_lode": "graph", "lmax_lode": 1, "lode_channels": 2,
                   "lode_rshort": 1.0, "lode_dshort": 1.0, "lode_extra_powers": [6]}
    return {
        "cutoff": 4.5, "energy_unit": "eV", "energy_terms": ["heads_mean", "repulsion"],
        "preprocessing": [
            ["graph", {"switch_params": {"switch_type": "hard"}}],
            ["short", {"module_name": "GRAPH_FILTER", "cutoff": 3.0, "parent_graph": "graph",
                       "switch_params": {"switch_type": "polynomial", "p": 5.0}}],
            ["block_indexer", {"split_CNOPSSe": True}],
        ],
        "modules": [
            ["species_encoding", {"encoding": "electronic_structure"}],
            ["species_embedding", {"module_name": "neural_net", "neurons": [8],
                                   "input_key": "species_encoding"}],
            ["charges", {"module_name": "charge_hypothesis", "ncharges": 3,
                         "embedding_key": "species_embedding"}],
            ["joined", {"module_name": "concatenate", "keys": ["species_embedding", "charges"]}],
            ["species_embedding_2", {"module_name": "neural_net", "neurons": [8],
                                     "input_key": "joined", "output_key": "species_embedding"}],
            ["embedding", raster],
            ["heads", {"module_name": "block_index_net", "hidden_neurons": [6], "output_dim": 4,
                       "input_key": "embedding"}],
            ["stat", {"module_name": "ensemble_stat", "key": "heads"}],
            ["repulsion", {"module_name": "repulsion_nlh", "graph_key": "short"}],
            ["etot", {"module_name": "scatter_system", "key": "heads"}],
        ],
    }
