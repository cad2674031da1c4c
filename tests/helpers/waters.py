"""Small systems of water for tests, made from nothing but a random generator."""

from __future__ import annotations

import numpy as np

OH, ANGLE = 0.9572, np.radians(104.52)
WATER = np.array([[0.0, 0.0, 0.0], [OH, 0.0, 0.0],
                  [OH * np.cos(ANGLE), OH * np.sin(ANGLE), 0.0]])
VOLUME = 29.99  # Å³ of a molecule in the liquid


def rotation(rng) -> np.ndarray:
    """A random proper rotation, (3, 3)."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def waters(cell: np.ndarray, counts: tuple[int, int, int], seed: int = 1):
    """Numbers and positions of jittered, randomly turned waters on a grid in a cell (rows, Å)."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), -1).reshape(-1, 3)
    centers = (grid + 0.5 + 0.08 * rng.uniform(-1, 1, grid.shape)) / np.array(counts) @ cell
    positions = [center + (WATER + 0.02 * rng.normal(size=(3, 3))) @ rotation(rng)
                 for center in centers]
    return np.array([8, 1, 1] * len(centers)), np.concatenate(positions)


def cubic(n: int) -> np.ndarray:
    """Cell of n waters at the density of the liquid."""
    return np.eye(3) * (n * VOLUME) ** (1.0 / 3.0)
