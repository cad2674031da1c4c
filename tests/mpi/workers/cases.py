# SPDX-License-Identifier: MIT
"""The systems, models and bricks on which ranks must agree, the same in every process."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from helpers.ani import molecule
from helpers.fennix_shapes import random_model
from helpers.runs import MODELS
from helpers.waters import cubic, waters

import pyfennix

SHAPES = {
    1: [(1, 1, 1)],
    2: [(2, 1, 1), (1, 1, 2)],
    4: [(4, 1, 1), (2, 2, 1), (1, 2, 2)],
    8: [(2, 2, 2), (8, 1, 1), (1, 2, 4)],
}
TRICLINIC = np.array([[13.0, 0.0, 0.0], [3.5, 12.0, 0.0], [-2.0, 4.0, 11.0]])


def systems() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """Numbers, positions (Å) and cell (rows, Å)."""
    water = *waters(cubic(216), (6, 6, 6)), cubic(216)
    tiny = *waters(cubic(27), (3, 3, 3)), cubic(27)
    triclinic = *waters(TRICLINIC, (4, 4, 3)), TRICLINIC
    drop_numbers, drop = waters(cubic(36), (4, 3, 3), seed=2)
    corner_numbers, corner = waters(cubic(12), (3, 2, 2), seed=3)
    small_numbers, small = molecule(12, order=("H", "O"), box=3.5)
    rng = np.random.default_rng(4)
    # unwrapped positions, as a long run has them
    tiny[1][:] += rng.integers(-2, 3, (27, 1, 3)).repeat(3, axis=1).reshape(-1, 3) @ cubic(27)
    return {
        "water648": water,
        "tiny": tiny,
        "triclinic": triclinic,
        "molecule": (small_numbers, small, None),
        "droplet": (drop_numbers, drop - 50.0, None),
        "corner": (corner_numbers, corner, 40.0 * np.eye(3)),
    }


def models() -> dict[str, tuple[object, str]]:
    """Model and halo: RASTER with two layers both ways, its torch operations, ANI, a pair."""
    with tempfile.TemporaryDirectory() as folder:
        raster = random_model(Path(folder), "M", dim=16)
        ani = random_model(Path(folder), "ANI", dim=16)
    plain = pyfennix.load_model(str(MODELS / "pairs.py") + ":Accurate", dtype="float64")
    eager = random_copy(raster)
    return {
        "raster": (raster, "exchange"),
        "raster-wide": (raster, "wide"),
        "raster-torch": (eager, "auto"),
        "ani": (ani, "auto"),
        "pairs": (plain, "auto"),
    }


def random_copy(model: object) -> object:
    """The same model in torch operations."""
    import copy

    other = copy.deepcopy(model)
    other.native = False
    return other


def wanted(system: str, model: str) -> bool:
    """Torch operations are slow in float64: only on small systems."""
    return not (model == "raster-torch" and system == "water648")


def random_raster() -> object:
    """A small RASTER model of two layers for H and O."""
    with tempfile.TemporaryDirectory() as folder:
        return random_model(Path(folder), "S", dim=8)
