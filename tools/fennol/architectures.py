# SPDX-License-Identifier: MIT
"""The architectures of the comparison as constructor arguments of FeNNol; plain dicts.

Read by FeNNol's interpreter and by ours, so it imports nothing.
"""

from __future__ import annotations

# bio1M and bio1S are the published FeNNix-Bio1 sizes; distilled is one short-ranged layer
RASTER_SIZES = {
    "bio1M": {"nlayers": 2, "scal_heads": 16, "tens_heads": 4, "lode_channels": 4},
    "bio1S": {"nlayers": 2, "scal_heads": 8, "tens_heads": 1, "lode_channels": 1},
    "distilled": {"nlayers": 1, "scal_heads": 8, "tens_heads": 1, "lode_channels": 0},
}
# hidden layers of the published ANI networks, and their atomic energies in hartree
ANI_NETWORKS = {
    "ani1x": {"H": (160, 128, 96), "C": (144, 112, 96), "N": (128, 112, 96), "O": (128, 112, 96)},
    "ani2x": {
        "H": (256, 192, 160), "C": (224, 192, 160), "N": (192, 160, 128), "O": (192, 160, 128),
        "S": (160, 128, 96), "F": (160, 128, 96), "Cl": (160, 128, 96),
    },
}  # fmt: skip
SELF_ENERGIES = {
    "H": -0.6, "C": -38.1, "N": -54.7, "O": -75.2, "S": -398.1, "F": -99.8, "Cl": -460.1,
}  # fmt: skip
ANI_DESCRIPTORS = {
    "ani1x": {"cutoff": 5.2, "radial_eta": 16.0, "radial_start": 0.9, "radial_dist_divisions": 16,
              "angular_eta": 8.0, "angular_start": 0.9, "angular_dist_divisions": 4,
              "zeta": 32.0, "angle_sections": 8},
    "ani2x": {"cutoff": 5.1, "radial_eta": 19.7, "radial_start": 0.8, "radial_dist_divisions": 16,
              "angular_eta": 12.5, "angular_start": 0.8, "angular_dist_divisions": 8,
              "zeta": 14.1, "angle_sections": 4},
}  # fmt: skip
# descriptor and number of networks
ANI_MODELS = {"ani1x": ("ani1x", 1), "ani1x-ensemble": ("ani1x", 2), "ani2x-ensemble": ("ani2x", 2)}
NAMES = (*RASTER_SIZES, *ANI_MODELS)
ANI_NUMBERS = {"ani1x": (1, 6, 7, 8), "ani2x": (1, 6, 7, 8, 9, 16, 17)}


def architecture(name: str) -> dict:
    """``cutoff``, ``preprocessing``, ``modules``, ``energy_terms``, ``energy_unit``.

    ``preprocessing`` and ``modules`` are lists of (name, parameters), as in a ``.fnx`` file.
    """
    return _raster(**RASTER_SIZES[name]) if name in RASTER_SIZES else _ani(*ANI_MODELS[name])


def resized(name: str, embedding: dict, species: list[int], head: list[int], members: int) -> dict:
    """A RASTER architecture of other sizes, everywhere at once.

    ``embedding`` replaces parameters of the RASTER module; ``species`` are the hidden layers of
    the species networks, ``head`` those of the energies, ``members`` the energies per atom.
    """
    description = architecture(name)
    for entry, parameters in description["modules"]:
        if entry == "embedding":
            parameters |= embedding
        elif entry.startswith("nn_energies") and "hidden_neurons" in parameters:
            parameters |= {"hidden_neurons": head, "output_dim": members}
        elif entry.endswith("_embedding"):
            parameters["neurons"] = [*species, embedding["dim"]]
    return description


def numbers(name: str) -> tuple[int, ...] | None:
    """Atomic numbers an architecture knows; None for all that have a block."""
    return ANI_NUMBERS[ANI_MODELS[name][0]] if name in ANI_MODELS else None


def _raster(nlayers: int, scal_heads: int, tens_heads: int, lode_channels: int) -> dict:
    """A FeNNix-Bio1 of these sizes, with its two heads and their spread."""
    polynomial = {"switch_type": "polynomial", "p": 8.0, "trainable": True}
    short = "graph_embed" if lode_channels else "graph"
    embedding = {
        "module_name": "RASTER", "dim": 176, "lmax": 3, "scal_heads": scal_heads,
        "tens_heads": tens_heads, "att_dim": 16, "nlayers": nlayers, "att_activation": "swish",
        "activation": "swish", "update_hidden": [352, 176],
        "radial_basis": {"dim": 10, "basis": "bessel", "trainable": False},
        "species_encoding": "species_embedding", "embedding_key": "embedding",
        "graph_key": short, "block_index_key": "block_index", "ignore_parity": False,
    }  # fmt: skip
    if lode_channels:
        preprocessing = [
            ("graph", {"switch_params": {"switch_type": "hard"}}),
            (short, {"module_name": "GRAPH_FILTER", "cutoff": 3.5, "graph_key": short,
                     "parent_graph": "graph", "remove_hydrogens": False,
                     "switch_params": polynomial}),
        ]
        embedding |= {"graph_lode": "graph", "lmax_lode": 2, "lode_rshort": 1.75,
                      "lode_dshort": 1.75, "lode_extra_powers": [6, 8, 10],
                      "lode_channels": lode_channels}
    else:
        preprocessing = [("graph", {"switch_params": polynomial})]
    preprocessing.append(("block_indexer", {"module_name": "BLOCK_INDEXER", "split_CNOPSSe": True,
                                            "output_key": "block_index"}))
    modules = [*_species(), ("embedding", embedding), *_heads(short)]
    return {"cutoff": 7.5 if lode_channels else 3.5, "preprocessing": preprocessing,
            "modules": modules, "energy_terms": ["nn_energies_mean", "repulsion"],
            "energy_unit": "ev"}


def _species() -> list:
    """From atomic number and total charge to what an atom brings along."""
    network = {"module_name": "NEURAL_NET", "neurons": [256, 176], "activation": "swish",
               "input_key": "species_encoding"}
    return [
        ("species_encoding", {"module_name": "species_encoding", "zmax": 86, "trainable": False,
                              "encoding": "electronic_structure"}),
        ("species_embedding", {**network, "use_bias": True}),
        ("static_charges", {"module_name": "charge_hypothesis", "mode": "qeq", "ncharges": 32,
                            "embedding_key": "species_embedding",
                            "total_charge_key": "total_charge"}),
        ("concat_charge", {"module_name": "concatenate", "output_key": "species_encoding",
                           "keys": ["species_encoding", "static_charges"]}),
        ("charge_embedding", {**network, "output_key": "species_embedding"}),
    ]


def _heads(graph: str) -> list:
    """Repulsion, two ensembles of 64 energies, and their statistics."""
    network = {"module_name": "BLOCK_INDEX_NET", "output_dim": 64, "hidden_neurons": [176, 176],
               "activation": "swish", "use_bias": True, "block_index_key": "block_index",
               "input_key": "embedding", "squeeze": True}

    def statistics(key: str) -> dict:
        return {"module_name": "ensemble_stat", "key": key}

    modules = [
        ("nn_energies", {**network}),
        ("nn_energies_stat", statistics("nn_energies")),
        ("nn_energies_bis", {**network}),
        ("repulsion", {"module_name": "repulsion_nlh", "graph_key": graph}),
        ("reshape_repulsion", {"module_name": "reshape", "key": "repulsion", "shape": [-1, 1]}),
    ]
    for tail in ("", "_bis"):
        modules.append((f"sum{tail}", {"module_name": "add", "output_key": f"energies{tail}",
                                       "keys": [f"nn_energies{tail}", "repulsion"]}))
    modules.append(("energies_bis_stat", statistics("energies_bis")))
    for tail in ("", "_bis"):
        modules += [
            (f"etot_ensemble{tail}", {"module_name": "scatter_system", "key": f"energies{tail}",
                                      "output_key": f"etot_ensemble{tail}"}),
            (f"etot_stat{tail}", statistics(f"etot_ensemble{tail}")),
        ]
    return modules


def _ani(name: str, members: int) -> dict:
    """An ensemble of ANI networks on one descriptor."""
    descriptor = dict(ANI_DESCRIPTORS[name])
    cutoff, networks = descriptor.pop("cutoff"), ANI_NETWORKS[name]
    modules = [("embedding", {"module_name": "ANI_AEV", "species_order": list(networks),
                              "graph_key": "graph", "graph_angle_key": "graph_angle",
                              "embedding_key": "ani_aev", **descriptor})]
    heads = ["energy"] if members == 1 else [f"energy{member}" for member in range(members)]
    for head in heads:
        modules.append((head, {
            "module_name": "SPECIES_INDEX_NET", "input_key": "ani_aev", "output_dim": 1,
            "species_index_key": "species_index", "use_bias": True,
            "activation": "partial(celu, alpha=0.1)",
            "hidden_neurons": {symbol: list(widths) for symbol, widths in networks.items()},
        }))  # fmt: skip
    if members > 1:
        modules += [
            ("concatenate_energies", {"module_name": "CONCATENATE", "axis": -1, "keys": heads,
                                      "output_key": "energy_ensemble"}),
            ("average_energy", {"module_name": "ENSEMBLE_STAT", "key": "energy_ensemble",
                                "mean_key": "energy"}),
            ("etot_ensemble", {"module_name": "scatter_system", "key": "energy_ensemble",
                               "output_key": "etot_ensemble"}),
            ("etot_stat", {"module_name": "ensemble_stat", "key": "etot_ensemble"}),
        ]
    modules.append(("self_energy", {
        "module_name": "CHEMICAL_CONSTANT", "trainable": True,
        "value": {symbol: SELF_ENERGIES[symbol] for symbol in networks},
    }))  # fmt: skip
    preprocessing = [
        ("graph_filter", {"cutoff": 3.5, "graph_key": "graph_angle", "parent_graph": "graph"}),
        ("graph_angular_extension", {"graph_key": "graph_angle"}),
        ("species_indexer", {"output_key": "species_index"}),
    ]
    return {"cutoff": cutoff, "preprocessing": preprocessing, "modules": modules,
            "energy_terms": ["energy", "self_energy"], "energy_unit": "Ha"}
