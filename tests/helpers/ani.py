# SPDX-License-Identifier: MIT
"""ANI models with random weights and systems to try them on."""

from __future__ import annotations

import numpy as np
import torch

from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.interface import SYMBOLS

ORDER = ("H", "C", "N", "O")
SEVEN = ("H", "C", "N", "O", "F", "S", "Cl")
# exponents and divisions of the published ANI-1x and ANI-2x, and none of theirs
ANI1X = {"angle_sections": 8, "radial_start": 0.9, "angular_start": 0.9}
ANI2X = {"radial_eta": 19.7, "angular_eta": 12.5, "zeta": 14.1, "angular_dist_divisions": 8}
ODD = {"radial_dist_divisions": 5, "angular_dist_divisions": 3, "angle_sections": 5, "zeta": 8.0,
       "radial_eta": 4.0, "angular_eta": 3.0}


def ani_config(order=ORDER, aev=None, cutoffs=(5.2, 3.5), members=1, **net) -> dict:
    """A module list in the style of the published files; ``net`` overrides the network's."""
    hidden = {symbol: [12 + k, 8] for k, symbol in enumerate(order)}
    names = ["energy"] if members == 1 else [f"energy{k}" for k in range(members)]
    modules = [["embedding", {
        "module_name": "ANI_AEV", "species_order": list(order), "embedding_key": "ani_aev",
        "graph_angle_key": "graph_angle", **(ANI1X if aev is None else aev)}]]
    modules += [[name, {
        "module_name": "SPECIES_INDEX_NET", "input_key": "ani_aev", "output_dim": 1,
        "hidden_neurons": hidden, "activation": "tanh", **net}] for name in names]
    if members > 1:
        modules += [
            ["all", {"module_name": "CONCATENATE", "keys": names, "output_key": "members"}],
            ["mean", {"module_name": "ENSEMBLE_STAT", "key": "members", "mean_key": "energy"}],
        ]
    modules.append(["self_energy", {
        "module_name": "CHEMICAL_CONSTANT", "trainable": True,
        "value": {symbol: -75.1 - k for k, symbol in enumerate(order)}}])
    return {
        "cutoff": cutoffs[0],
        "preprocessing": [
            ["graph_filter", {"cutoff": cutoffs[1], "graph_key": "graph_angle",
                              "parent_graph": "graph"}],
            ["graph_angular_extension", {"graph_key": "graph_angle"}],
            ["species_indexer", {"output_key": "species_index"}],
        ],
        "modules": modules,
        "energy_terms": ["energy", "self_energy"],
    }


def ani_model(config: dict | None = None, native: bool = True, **changes) -> FennixModel:
    """A float64 model with random weights, the same every time, not trainable."""
    torch.manual_seed(5)
    model = FennixModel(ani_config(**changes) if config is None else config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(".bias"):
                parameter.normal_(0.0, 0.1)
    model = model.requires_grad_(False).eval().to(torch.float64)
    model.native = native
    return model


def molecule(n: int, order=ORDER, box: float = 4.0, seed: int = 1, apart: float = 0.9):
    """Numbers and positions of n atoms in a box, none closer than ``apart`` Å."""
    rng = np.random.default_rng(seed)
    positions: list[np.ndarray] = []
    while len(positions) < n:
        trial = rng.uniform(0.0, box, 3)
        if all(np.linalg.norm(trial - other) > apart for other in positions):
            positions.append(trial)
    numbers = [SYMBOLS.index(order[k % len(order)]) for k in range(n)]
    return np.array(numbers), np.array(positions)
