# SPDX-License-Identifier: MIT
"""What FeNNol's interpreter does in a comparison: create checkpoints, evaluate systems.

    python fennol_side.py create NAME SEED FILE.fnx
    python fennol_side.py evaluate FILE.fnx float64 SYSTEMS.npz ANSWERS.npz
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from pathlib import Path

import jax
import numpy as np
from architectures import architecture
from exchange import Answer, System, read, write


def main() -> None:
    """One of the two commands."""
    # compiling takes longer than evaluating: keep what was compiled between runs
    jax.config.update("jax_compilation_cache_dir", str(Path(sys.prefix) / "xla-cache"))
    command, *words = sys.argv[1:]
    if command == "create":
        create(words[0], int(words[1]), Path(words[2]))
    elif command == "evaluate":
        jax.config.update("jax_enable_x64", words[1] == "float64")
        write(Path(words[3]), evaluate(Path(words[0]), words[1], read(Path(words[2]), System)))
    else:
        sys.exit(f"unknown command {command}")


def create(name: str, seed: int, path: Path) -> None:
    """A checkpoint of that architecture with no parameter left at its initial value."""
    from fennol import FENNIX

    model = FENNIX(**_arguments(name), rng_key=jax.random.PRNGKey(seed))
    rng = np.random.default_rng(seed)
    variables = jax.tree_util.tree_map_with_path(
        lambda where, leaf: _disturbed(jax.tree_util.keystr(where), np.asarray(leaf), rng),
        model.variables,
    )
    FENNIX(**_arguments(name), variables=variables).save(str(path))


def _arguments(name: str) -> dict:
    """Constructor arguments; new ones each time, because the constructor empties them."""
    description = architecture(name)
    return {**description, "preprocessing": OrderedDict(description["preprocessing"]),
            "modules": OrderedDict(description["modules"])}


def _disturbed(name: str, leaf: np.ndarray, rng) -> np.ndarray:
    """Weights as they are (they are random already), everything else moved."""
    noise = rng.uniform(-1.0, 1.0, leaf.shape)
    if name.endswith("['bias']"):
        moved = leaf + 0.3 * noise
    elif name.endswith("['constant']"):
        moved = leaf * (1.0 + 0.01 * noise)
    elif name.endswith("['kernel']"):
        moved = leaf * (1.0 + 0.3 * noise)
    else:  # exponents of switches, ranges of the long-range part, mixings
        moved = leaf * (1.0 + 0.2 * noise) + 0.05 * noise
    return np.asarray(moved, np.float32)


def evaluate(path: Path, dtype: str, systems: list[System]) -> list[Answer]:
    """Energies, forces and virials, in the order of the systems."""
    from fennol import FENNIX

    model = FENNIX.load(str(path))
    requests = [_inputs(system, dtype) for system in systems]
    # FeNNol's arrays only grow, and each growth compiles anew: let them grow first
    for request in requests:
        model.preprocess(**request)
    return [_answer(model, request) for request in requests]


def _inputs(system: System, dtype: str) -> dict:
    """A request in FeNNol's words."""
    batch = len(system.counts)
    inputs = {
        "species": system.numbers, "coordinates": system.positions.astype(dtype),
        "natoms": system.counts.astype(np.int32),
        "batch_index": np.repeat(np.arange(batch), system.counts).astype(np.int32),
        "total_charge": system.charges.astype(dtype),
    }  # fmt: skip
    return inputs | ({"cells": system.cells.astype(dtype)} if len(system.cells) else {})


def _answer(model, request: dict) -> Answer:
    """Evaluate one request."""
    energies, forces, virials, others = model.energy_and_forces_and_virial(**request)
    variances = others.get("etot_ensemble_var", np.zeros(len(energies)))
    parts = energies, forces, virials, np.sqrt(variances)
    return Answer(*(np.asarray(part, np.float64) for part in parts))


if __name__ == "__main__":
    main()
