# SPDX-License-Identifier: MIT
"""Random small systems, some steps each, on these ranks and on one.

Usage: random_systems.py SEED COUNT SECONDS.

Prints the number of systems that were compared; stops early, with what it has, when time is up.
"""

from __future__ import annotations

import sys
import time

import ase
import numpy as np
from cases import random_raster
from helpers.runs import MODELS
from mpi4py import MPI

import pyfennix

NEAR = 1e-9  # Å after the steps, and kcal/mol/Å relative to the largest force


def shapes(n_ranks: int) -> list[tuple[int, int, int]]:
    """All bricks for so many ranks."""
    return [(a, b, n_ranks // (a * b)) for a in range(1, n_ranks + 1) for b in range(1, n_ranks + 1)
            if n_ranks % (a * b) == 0]


def system(rng) -> ase.Atoms:
    """Up to 40 atoms, no two closer than 2.2 Å, in a cell of any shape and size, or none."""
    n = int(rng.integers(1, 41))
    kind = rng.choice(["isolated", "box", "triclinic", "narrow", "corner"])
    edge = rng.uniform(5.0, 16.0)
    cell = edge * np.eye(3) * rng.uniform(0.7, 1.4, 3)
    if kind == "triclinic":
        cell += np.tril(rng.uniform(-0.4, 0.4, (3, 3)), -1) * edge
    if kind == "narrow":
        cell[0] *= 0.3
    room = cell / 4 if kind == "corner" else cell
    positions = np.zeros((0, 3))
    for _ in range(40 * n):
        trial = rng.uniform(size=3) @ room
        if len(positions) == n or _close(trial, positions, cell, kind != "isolated"):
            continue
        positions = np.vstack([positions, trial])
    if not len(positions):
        positions = np.full((1, 3), 1.0)
    numbers = rng.choice([1, 8], len(positions))
    if kind == "isolated":
        return ase.Atoms(numbers=numbers, positions=positions)
    shift = rng.integers(-3, 4, positions.shape) @ cell
    return ase.Atoms(numbers=numbers, positions=positions + shift, cell=cell, pbc=True)


def _close(trial, positions, cell, periodic) -> bool:
    grid = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    images = grid @ cell if periodic else np.zeros((1, 3))
    others = (positions[:, None] + images - trial).reshape(-1, 3)
    return bool(len(others)) and np.linalg.norm(others, axis=1).min() < 2.2


def run(atoms, options, steps, comm=None):
    """Positions and forces after some steps, or the sentence of what went wrong."""
    try:
        with pyfennix.Simulation(atoms, comm=comm, **options) as sim:
            sim.run(steps)
            return sim.positions, sim.forces
    except pyfennix.FennixError as error:
        return str(error).split(" (rank ")[0]


def main(seed: int, count: int, seconds: float) -> None:
    """Compare systems until there are enough or time is up."""
    comm = MPI.COMM_WORLD
    rng = np.random.default_rng(seed)
    pair = [f"{MODELS / 'pairs.py'}:{name}" for name in ("Accurate", "Fast")]
    raster = random_raster()
    begin, done = time.monotonic(), 0
    while done < count:
        if comm.bcast(time.monotonic() - begin) > seconds:
            break
        atoms, steps = system(rng), int(rng.integers(1, 9))
        shape = shapes(comm.size)[rng.integers(len(shapes(comm.size)))]
        two = bool(rng.integers(2))
        options = {
            "accurate": raster if rng.integers(2) else pair[0], "fast": pair[1] if two else None,
            "dt": 0.2, "substeps": 2 if two else None, "ensemble": "nvt", "temperature": 300.0,
            "seed": int(rng.integers(1000)), "dtype": "float64", "threads": 1,
            "keywords": {"list-buffer": float(rng.choice([0.01, 0.1, 1.0])),
                         "halo": str(rng.choice(["auto", "wide"])), "remove-inertia": 2},
        }
        together = dict(options, keywords=options["keywords"] | {
            "decomp3d": " ".join(map(str, shape))})
        found = run(atoms, together, steps, comm)
        compare(found, run(atoms, options, steps), f"seed {seed}, system {done}, bricks {shape}")
        done += 1
    if comm.rank == 0:
        print(done)


def compare(found, alone, words) -> None:
    """The same numbers, or the same complaint."""
    assert type(found) is type(alone), f"{words}: {found} and {alone}"
    if isinstance(found, str):
        return
    assert np.abs(found[0] - alone[0]).max() < NEAR, words
    size = max(1.0, np.abs(alone[1]).max())
    assert np.abs(found[1] - alone[1]).max() < NEAR * size * 100, words


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
