# SPDX-License-Identifier: MIT
"""FeNNol's random-weight checkpoints and the numbers it computed with them."""

from __future__ import annotations

import lzma
from dataclasses import dataclass

import numpy as np

from helpers.shared import shared

RASTER = ("bio1M_seed1", "bio1S_seed2", "distilled_seed3")
SYSTEMS = ("acetate", "ammonium", "batch3", "benzene", "close_contact", "cluster50",
           "element_zoo", "ethanol", "ions_cluster", "thiophosphonate", "triclinic102",
           "triclinic24", "water", "water_box198", "watersmall", "watertiny")


def unpack(name: str, folder) -> str:
    """Path of a checkpoint in ``folder``, unpacked as it is."""
    path = folder / f"{name}.fnx"
    if not path.exists():
        packed = shared("reference", "models", f"{name}.fnx.xz")
        path.write_bytes(lzma.decompress(packed.read_bytes()))
    return str(path)


@dataclass
class Case:
    """One system of a reference file; ``f64`` and ``f32`` look its numbers up by name."""

    data: dict
    index: int
    rows: slice

    @property
    def system(self) -> tuple:
        """(numbers, positions, cell, charge) as ``evaluate`` takes them."""
        d = self.data
        charge = np.broadcast_to(d["total_charge"], len(d["natoms"]))[self.index]
        cell = d["cell"].reshape(3, 3) if "cell" in d else None
        return d["species"][self.rows], d["coordinates"][self.rows], cell, float(charge)

    def atoms(self, key: str, precision: str = "f64") -> np.ndarray:
        """Rows of this system of an array with one row per atom."""
        return np.asarray(self.data[f"{precision}.{key}"][self.rows], dtype=np.float64)

    def total(self, key: str, precision: str = "f64") -> np.ndarray:
        """Entry of this system of an array with one per system."""
        return np.asarray(self.data[f"{precision}.{key}"][self.index], dtype=np.float64)


def cases(model: str, system: str) -> list[Case]:
    """The systems of one reference file: one, but for batches."""
    data = dict(np.load(shared("reference", "data", model, f"{system}.npz")))
    bounds = np.concatenate([[0], np.cumsum(data["natoms"])])
    return [Case(data, k, slice(bounds[k], bounds[k + 1])) for k in range(len(data["natoms"]))]
