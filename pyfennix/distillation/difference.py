# SPDX-License-Identifier: MIT
"""How far the fast model is from the accurate one: by element, by size of force, in the tail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from pyfennix import units
from pyfennix.models.interface import SYMBOLS

# kcal/mol/Å: beyond TAIL lies what should be rare, beyond HOLE what must not be (notes of the
# method: the tail that begins at 150 is assigned to holes of the fast model's surface)
TAIL, HOLE = 30.0, 150.0
RARE = 1e-5
_EDGES = np.concatenate([np.arange(0.0, 50.0, 0.5), np.arange(50.0, 400.0, 5.0), [np.inf]])


@dataclass
class Histogram:
    """|ΔF| of atoms at outer steps, kcal/mol/Å.

    Attributes
    ----------
    counts
        By bin of ``edges``.
    largest, largest_number
        The largest value, and the atomic number of its atom.
    square, atoms
        Sum of |ΔF|² and number of atoms, by atomic number.
    """

    counts: np.ndarray = field(default_factory=lambda: np.zeros(len(_EDGES) - 1, dtype=np.int64))
    largest: float = 0.0
    largest_number: int = 0
    above_tail: int = 0
    above_hole: int = 0
    square: dict[int, float] = field(default_factory=dict)
    atoms: dict[int, int] = field(default_factory=dict)

    def add(self, numbers: np.ndarray, difference: np.ndarray) -> None:
        """Count (n, 3) differences of forces, kcal/mol/Å."""
        size = np.linalg.norm(difference, axis=1)
        self.counts += np.histogram(size, _EDGES)[0]
        self.above_tail += int((size > TAIL).sum())
        self.above_hole += int((size > HOLE).sum())
        if len(size) and size.max() > self.largest:
            self.largest, self.largest_number = float(size.max()), int(numbers[size.argmax()])
        for z in np.unique(numbers):
            own = size[numbers == z]
            self.square[int(z)] = self.square.get(int(z), 0.0) + float((own**2).sum())
            self.atoms[int(z)] = self.atoms.get(int(z), 0) + len(own)

    @property
    def total(self) -> int:
        """Atoms counted, over all steps."""
        return sum(self.atoms.values())

    @property
    def is_fat(self) -> bool:
        """Whether the tail forbids the model as a default."""
        return self.above_hole > 0 or self.above_tail > RARE * max(self.total, 1)

    def facts(self) -> dict:
        """Plain values for the report."""
        total = max(self.total, 1)
        return {
            "atoms_times_steps": self.total, "largest": self.largest,
            "largest_element": SYMBOLS[self.largest_number] if self.largest_number else "",
            f"share_above_{TAIL:g}": self.above_tail / total,
            f"share_above_{HOLE:g}": self.above_hole / total,
            "rms_by_element": {SYMBOLS[z]: float(np.sqrt(self.square[z] / self.atoms[z]))
                               for z in sorted(self.square)},
            "unit": "kcal/mol/Å", "edges": [float(x) for x in _EDGES[:-1]],
            "counts": self.counts.tolist(), "refused": self.is_fat,
        }


def by_element(numbers: np.ndarray, found: np.ndarray, wanted: np.ndarray) -> dict[str, dict]:
    """{symbol: MAE and RMSE in meV/Å, atoms} from (n, 3) forces in eV/Å."""
    error = 1e3 * (found - wanted)
    return {
        SYMBOLS[int(z)]: {
            "mae": float(np.abs(error[numbers == z]).mean()),
            "rmse": float(np.sqrt((error[numbers == z] ** 2).mean())),
            "atoms": int((numbers == z).sum()),
        }
        for z in np.unique(numbers)
    }


def by_magnitude(found: np.ndarray, wanted: np.ndarray,
                 edges: Sequence[float] = (0, 0.5, 1, 2, 4, 8, 16, np.inf)) -> list[dict]:
    """RMSE in meV/Å and numbers of atoms by length of the accurate force, eV/Å."""
    size = np.linalg.norm(wanted, axis=1)
    square = (1e3 * (found - wanted)) ** 2
    rows = []
    for low, high in pairwise(edges):
        inside = (size >= low) & (size < high)
        if inside.any():
            rows.append({"from": float(low), "to": float(high) if np.isfinite(high) else None,
                         "atoms": int(inside.sum()),
                         "rmse": float(np.sqrt(square[inside].mean())),
                         "relative": float(np.sqrt(square[inside].mean()) * 1e-3
                                           / np.sqrt((wanted[inside] ** 2).mean()))})
    return rows


def in_mev(kcal: float) -> float:
    """kcal/mol/Å as meV/Å."""
    return 1e3 * kcal / units.EV_IN_KCAL
