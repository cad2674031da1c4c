# SPDX-License-Identifier: MIT
"""The architectures that are trained here, as ``.fnx`` descriptions with sizes to choose."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.models.fnx.elements import covalent_radii
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.interface import SYMBOLS
from pyfennix.models.pairs import build_pairs
from pyfennix.training.frames import Frame

# Sizes by shape. `fast` was chosen by cost and error (docs/training.md), `accurate` is the shape
# of water-accurate, `raster-fast` the one-layer RASTER that the distilled FeNNix-Bio1 has.
SHAPES: dict[str, dict[str, Any]] = {
    "fast": {"cutoff": 3.5, "channels": [16, 12, 10, 8], "neurons": [64, 32], "radial": 8},
    "accurate": {"cutoff": 7.0, "short_cutoff": 4.2, "dim": 64, "layers": 2, "lmax": 2,
                 "scalar_heads": 8, "tensor_heads": 4, "att_dim": 8, "update": [64, 64],
                 "species": [32, 64], "head": [64, 32], "members": 1, "long_range": True},
    "raster-fast": {"cutoff": 3.5, "short_cutoff": 3.5, "dim": 48, "layers": 1, "lmax": 2,
                    "scalar_heads": 8, "tensor_heads": 4, "att_dim": 16, "update": [64, 48],
                    "species": [32, 48], "head": [48, 24], "members": 1, "long_range": False},
}  # fmt: skip

# How much of two covalent radii a pair that no frame has shown may be close
_UNSEEN = 0.8


def make_model(shape: str, elements: Sequence[int], changes: Mapping[str, Any],
               walls: Sequence = (), name: str = "model") -> FennixModel:
    """An untrained model with weights from torch's random numbers.

    Parameters
    ----------
    shape, changes
        A key of SHAPES, and sizes that differ from it.
    walls
        [[Z1, Z2, Å], ...] below which a pair repels like screened nuclei; see :func:`find_walls`.

    Raises
    ------
    InputError
        For an unknown shape or size, with the nearest spelling.
    """
    if shape not in SHAPES:
        raise InputError(f"shape {shape!r} is unknown{_nearest(shape, SHAPES)}")
    size = dict(SHAPES[shape])
    for key, value in changes.items():
        if key not in size:
            raise InputError(f"{key} is no size of shape {shape!r}{_nearest(key, size)}")
        size[key] = value
    describe = _density if shape == "fast" else _raster
    config = describe(size, list(elements))
    config["modules"].append(["repulsion", {"module_name": "pyfennix_zbl", "graph_key":
                              config.pop("short"), "p": 6.0, "ranges": [list(w) for w in walls]}])
    config["energy_terms"] = [config.pop("energy"), "repulsion"]
    return FennixModel(config | {"energy_unit": "eV"}, elements=tuple(elements),
                       blocks=_blocks(elements), name=name)


def _nearest(word: str, known) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"


def _blocks(elements: Sequence[int]) -> tuple[str, ...]:
    from pyfennix.models.fnx.elements import block_of

    return tuple(dict.fromkeys(block_of(z) for z in elements))


def _density(size: Mapping[str, Any], elements: list[int]) -> dict:
    energies = {"module_name": "pyfennix_density", "elements": elements, "power": 4} | {
        key: size[key] for key in ("channels", "neurons", "radial")}
    switch = {"switch_type": "polynomial", "p": 6.0}
    return {"cutoff": float(size["cutoff"]), "short": "graph", "energy": "energies",
            "preprocessing": [["graph", {"switch_params": switch}]],
            "modules": [["energies", energies]]}


def _raster(size: Mapping[str, Any], elements: list[int]) -> dict:
    switch = {"switch_type": "polynomial", "p": 4.0, "trainable": True}
    indexer = ["block_indexer", {"module_name": "BLOCK_INDEXER", "split_CNOPSSe": True}]
    short = "graph_embed" if size["short_cutoff"] < size["cutoff"] else "graph"
    raster = {"dim": size["dim"], "nlayers": size["layers"], "lmax": size["lmax"],
              "scal_heads": size["scalar_heads"], "tens_heads": size["tensor_heads"],
              "att_dim": size["att_dim"], "update_hidden": size["update"]}
    if short == "graph":
        graphs = [["graph", {"switch_params": switch}]]
    else:
        graphs = [["graph", {"switch_params": {"switch_type": "hard"}}],
                  [short, {"module_name": "GRAPH_FILTER", "cutoff": float(size["short_cutoff"]),
                           "graph_key": short, "parent_graph": "graph", "switch_params": switch}]]
        if size["long_range"]:
            raster |= {"graph_lode": "graph", "lmax_lode": 2, "lode_channels": 2,
                       "lode_extra_powers": [6, 8, 10], "lode_rshort": 1.75, "lode_dshort": 1.75,
                       "positional_hidden": 32}
    raster |= {"module_name": "RASTER", "graph_key": short, "embedding_key": "embedding",
               "species_encoding": "species_embedding", "block_index_key": "block_index",
               "activation": "swish", "att_activation": "swish",
               "radial_basis": {"dim": 8, "basis": "bessel", "trainable": False}}
    one = size["members"] == 1
    head = {"module_name": "BLOCK_INDEX_NET", "output_dim": size["members"], "activation": "swish",
            "hidden_neurons": size["head"], "block_index_key": "block_index",
            "input_key": "embedding", "squeeze": one}
    modules = [
        ["species_encoding", {"module_name": "species_encoding",
                              "encoding": "electronic_structure", "zmax": 86}],
        ["species_embedding", {"module_name": "NEURAL_NET", "neurons": size["species"],
                               "activation": "swish", "input_key": "species_encoding"}],
        ["embedding", raster], ["nn_energies", head],
    ]
    if not one:
        modules.append(["ensemble", {"module_name": "ENSEMBLE_STAT", "key": "nn_energies"}])
    return {"cutoff": float(size["cutoff"]), "short": short, "modules": modules,
            "preprocessing": [*graphs, indexer],
            "energy": "nn_energies" if one else "nn_energies_mean"}


def find_walls(frames: Sequence[Frame], elements: Sequence[int],
               reach: float = 3.0) -> list[list[float]]:
    """[[Z1, Z2, Å], ...]: the shortest distance that any frame shows of each pair of elements.

    The repulsion begins where the data end. A pair never seen within ``reach`` Å is kept
    ``reach``, or 0.8 of its covalent radii, apart, whichever is less.
    """
    least = {(a, b): np.inf for k, a in enumerate(elements) for b in elements[k:]}
    place = {z: k for k, z in enumerate(elements)}
    for frame in frames:
        first, neighbor, shift = build_pairs(frame.positions, frame.cell, reach)
        receiver = np.repeat(np.arange(len(frame)), np.diff(first))
        vectors = frame.positions[neighbor] - frame.positions[receiver]
        if frame.cell is not None:
            vectors += shift @ frame.cell
        distance = np.linalg.norm(vectors, axis=1)
        index = np.array([place[int(z)] for z in frame.numbers], dtype=np.int64)
        pair = index[receiver] * len(elements) + index[neighbor]
        for number in np.unique(pair):
            a, b = sorted(divmod(int(number), len(elements)))
            key = (elements[a], elements[b])
            least[key] = min(least[key], float(distance[pair == number].min()))
    radii = dict(zip(elements, covalent_radii(elements), strict=True))
    return [[a, b, d if np.isfinite(d) else min(reach, _UNSEEN * (radii[a] + radii[b]))]
            for (a, b), d in least.items()]


def numbers_of(symbols: Sequence[str]) -> list[int]:
    """Atomic numbers of symbols, increasing; InputError for one that is none."""
    for symbol in symbols:
        if symbol not in SYMBOLS[1:]:
            raise InputError(f"{symbol!r} is no element{_nearest(symbol, SYMBOLS[1:])}")
    return sorted(SYMBOLS.index(symbol) for symbol in symbols)
