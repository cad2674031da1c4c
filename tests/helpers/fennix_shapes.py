# SPDX-License-Identifier: MIT
"""Checkpoints with random weights in the shapes of FeNNix-Bio1 and ANI, as small as one likes."""

from __future__ import annotations

from pathlib import Path

import torch

from pyfennix.models.fnx.checkpoint import load_fnx, save_fnx
from pyfennix.models.fnx.model import FennixModel

SHAPES = ("M", "S", "distilled", "ANI")
# RASTER's numbers: heads, LODE channels, layers
_RASTER = {"M": (16, 4, 4, 2), "S": (8, 1, 1, 2), "distilled": (8, 1, 0, 1)}
ANI_ELEMENTS = (1, 6, 7, 8)


def shape(name: str, dim: int = 32, members: int = 4) -> dict:
    """The description of a model: module list, graphs and energy terms of the real ones.

    Parameters
    ----------
    name
        "M", "S", "distilled" or "ANI".
    dim, members
        Width (176 in the real ones) and size of the shallow ensemble (64).
    """
    return _ani(dim) if name == "ANI" else _fennix(name, dim, members)


def checkpoint(path: Path, name: str, seed: int = 0, **sizes: int) -> Path:
    """Write such a model with random weights; biases too, which begin at zero in training."""
    torch.manual_seed(seed)
    model = FennixModel(shape(name, **sizes), elements=ANI_ELEMENTS if name == "ANI" else None)
    with torch.no_grad():
        for key, value in model.named_parameters():
            if key.endswith("bias"):
                value.normal_(std=0.1)
    save_fnx(path, model)
    return path


def random_model(folder: Path, name: str, dtype: str = "float64", **sizes: int) -> FennixModel:
    """The model of :func:`checkpoint`, as it is read back."""
    path = checkpoint(folder / f"{name}.fnx", name, **sizes)
    return load_fnx(path).to(getattr(torch, dtype))


def _fennix(name: str, dim: int, members: int) -> dict:
    heads, tensors, channels, layers = _RASTER[name]
    short = "graph_embed" if channels else "graph"
    switch = {"switch_type": "polynomial", "p": 8.0, "trainable": True}
    raster = {
        "module_name": "RASTER", "dim": dim, "lmax": 3, "scal_heads": heads, "tens_heads": tensors,
        "att_dim": 16, "nlayers": layers, "att_activation": "swish", "activation": "swish",
        "update_hidden": [2 * dim, dim], "ignore_parity": False, "graph_key": short,
        "radial_basis": {"dim": 10, "basis": "bessel", "trainable": False},
        "species_encoding": "species_embedding", "embedding_key": "embedding",
        "block_index_key": "block_index",
    }
    preprocessing = [["graph", {"switch_params": switch}]]
    if channels:
        raster |= {"graph_lode": "graph", "lmax_lode": 2, "lode_rshort": 1.75, "lode_dshort": 1.75,
                   "lode_extra_powers": [6, 8, 10], "lode_channels": channels}
        preprocessing = [
            ["graph", {"switch_params": {"switch_type": "hard"}}],
            [short, {"module_name": "GRAPH_FILTER", "cutoff": 3.5, "graph_key": short,
                     "parent_graph": "graph", "remove_hydrogens": False, "switch_params": switch}],
        ]
    preprocessing.append(["block_indexer", {"module_name": "BLOCK_INDEXER", "split_CNOPSSe": True,
                                            "output_key": "block_index"}])
    net = {"module_name": "NEURAL_NET", "neurons": [2 * dim, dim], "activation": "swish",
           "input_key": "species_encoding", "use_bias": True}
    modules = [
        ["species_encoding", {"module_name": "species_encoding", "zmax": 86, "trainable": False,
                              "encoding": "electronic_structure"}],
        ["species_embedding", net],
        ["static_charges", {"module_name": "charge_hypothesis", "mode": "qeq", "ncharges": 8,
                            "embedding_key": "species_embedding",
                            "total_charge_key": "total_charge"}],
        ["concat_charge", {"module_name": "concatenate", "output_key": "species_encoding",
                           "keys": ["species_encoding", "static_charges"]}],
        ["charge_embedding", net | {"output_key": "species_embedding"}],
        ["embedding", raster],
        ["nn_energies", {"module_name": "BLOCK_INDEX_NET", "output_dim": members, "squeeze": True,
                         "hidden_neurons": [dim, dim], "block_index_key": "block_index",
                         "activation": "swish", "use_bias": True, "input_key": "embedding"}],
        ["nn_energies_stat", {"module_name": "ensemble_stat", "key": "nn_energies"}],
        ["repulsion", {"module_name": "repulsion_nlh", "graph_key": short}],
    ]
    return {"cutoff": 7.5 if channels else 3.5, "preprocessing": preprocessing, "modules": modules,
            "energy_terms": ["nn_energies_mean", "repulsion"], "energy_unit": "ev"}


def _ani(dim: int) -> dict:
    network = {
        "module_name": "SPECIES_INDEX_NET", "activation": "partial(celu, alpha=0.1)",
        "hidden_neurons": {symbol: [dim, dim // 2] for symbol in "HCNO"}, "output_dim": 1,
        "input_key": "ani_aev", "species_index_key": "species_index", "use_bias": True,
    }
    modules = [
        ["embedding", {
            "module_name": "ANI_AEV", "species_order": ["H", "C", "N", "O"], "zeta": 32.0,
            "angle_sections": 8, "angular_dist_divisions": 4, "angular_eta": 8.0,
            "angular_start": 0.9, "radial_dist_divisions": 16, "radial_eta": 16.0,
            "radial_start": 0.9, "embedding_key": "ani_aev", "graph_key": "graph",
            "graph_angle_key": "graph_angle",
        }],
        ["energy0", network],
        ["energy1", network],
        ["concatenate_energies", {"module_name": "CONCATENATE", "axis": -1,
                                  "keys": ["energy0", "energy1"],
                                  "output_key": "energy_ensemble"}],
        ["average_energy", {"module_name": "ENSEMBLE_STAT", "key": "energy_ensemble",
                            "mean_key": "energy"}],
        ["self_energy", {"module_name": "CHEMICAL_CONSTANT", "trainable": True,
                         "value": {"H": -0.6, "C": -38.1, "N": -54.7, "O": -75.2}}],
    ]
    preprocessing = [
        ["graph_filter", {"cutoff": 3.5, "graph_key": "graph_angle", "parent_graph": "graph"}],
        ["graph_angular_extension", {"graph_key": "graph_angle"}],
        ["species_indexer", {"output_key": "species_index"}],
    ]
    return {"cutoff": 5.2, "preprocessing": preprocessing, "modules": modules,
            "energy_terms": ["energy", "self_energy"], "energy_unit": "Ha"}
