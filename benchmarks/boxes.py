# SPDX-License-Identifier: MIT
"""Boxes of water for benchmarks, as files that both interpreters read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

VOLUME = 29.99  # Å³ of a molecule in the liquid
OH, ANGLE = 0.9572, np.radians(104.52)
WATER = np.array([[0.0, 0.0, 0.0], [OH, 0.0, 0.0], [OH * np.cos(ANGLE), OH * np.sin(ANGLE), 0.0]])
CLOSEST = 1.5  # Å, between atoms of two molecules


def water_box(n_atoms: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers (n,), positions (n, 3) in Å, cubic cell (3, 3) in Å; the density of the liquid.

    Molecules sit on a jittered grid, turned at random until they leave their neighbours room.
    ``n_atoms`` is rounded down to whole molecules.
    """
    rng = np.random.default_rng(seed)
    n = n_atoms // 3
    side = (n * VOLUME) ** (1 / 3)
    per_side = int(np.ceil(n ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(per_side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    # of a grid with more places than molecules, the empty ones are spread evenly
    grid = grid[np.linspace(0, len(grid) - 1, n).round().astype(int)]
    centers = (grid + 0.5 + 0.05 * rng.uniform(-1, 1, grid.shape)) * side / per_side
    positions = np.stack([_turned(center, rng) for center in centers])
    for _ in range(100):
        crowded = _crowded(positions, side)
        if not len(crowded):
            break
        for index in crowded:
            positions[index] = _turned(centers[index], rng)
    return np.tile([8, 1, 1], n), positions.reshape(-1, 3), side * np.eye(3)


def read_xyz(path: Path, edge: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same from a Tinker file with element symbols and the edge of its cubic box in Å."""
    from pyfennix.models.interface import SYMBOLS

    rows = [line.split() for line in path.read_text().splitlines()[1:]]
    numbers = np.array([SYMBOLS.index(row[1]) for row in rows])
    return numbers, np.array([row[2:5] for row in rows], dtype=float), edge * np.eye(3)


def save(path: Path, box: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Write a box for the workers."""
    np.savez(path, numbers=box[0], positions=box[1], cell=box[2])


def load(path: str | Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read a box."""
    with np.load(path, allow_pickle=False) as file:
        return file["numbers"], file["positions"], file["cell"]


def _turned(center: np.ndarray, rng) -> np.ndarray:
    """A water of random orientation, (3, 3)."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    return center + (WATER - WATER.mean(axis=0)) @ (q * np.sign(np.diag(r)))


def _crowded(positions: np.ndarray, side: float) -> np.ndarray:
    """Molecules with an atom too close to one of another molecule."""
    from scipy.spatial import cKDTree

    atoms = positions.reshape(-1, 3) % side
    pairs = cKDTree(atoms, boxsize=side).query_pairs(CLOSEST, output_type="ndarray") // 3
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]][:, 1])
