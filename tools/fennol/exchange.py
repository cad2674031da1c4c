# SPDX-License-Identifier: MIT
"""Files between the two interpreters: systems and results as npz, without pickles."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np


@dataclass
class System:
    """One request: a single system, or several evaluated together.

    Attributes
    ----------
    label
        What kind of system it is.
    numbers, positions
        (n,) atomic numbers and (n, 3) positions in Å of all systems, one after the other.
    counts, charges
        (B,) atoms and total charge (e) of each.
    cells
        (B, 3, 3) rows are lattice vectors in Å, or (0, 3, 3) for isolated systems.
    """

    label: str
    numbers: np.ndarray
    positions: np.ndarray
    counts: np.ndarray
    charges: np.ndarray
    cells: np.ndarray


@dataclass
class Answer:
    """Energies (B,), forces (n, 3) and virials (B, 3, 3), in the model's unit and Å.

    ``spreads`` (B,) are standard deviations of the energies of an ensemble, zero without one.
    """

    energies: np.ndarray
    forces: np.ndarray
    virials: np.ndarray
    spreads: np.ndarray


def write(path: Path, records: list) -> None:
    """A list of :class:`System` or of :class:`Answer`."""
    np.savez(path, count=len(records), **{
        f"{index}.{field.name}": getattr(record, field.name)
        for index, record in enumerate(records) for field in fields(record)
    })


def read(path: Path, kind: type) -> list:
    """What :func:`write` wrote, of that kind."""
    with np.load(path, allow_pickle=False) as file:
        return [kind(**{field.name: file[f"{index}.{field.name}"] for field in fields(kind)})
                for index in range(int(file["count"]))]
