# SPDX-License-Identifier: MIT
"""Labels from a model: whole frames, and frames moved on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pyfennix import units
from pyfennix.models.adapters.door import AnyModel
from pyfennix.models.batch import evaluate_batch
from pyfennix.models.interface import Model
from pyfennix.models.pairs import build_pairs
from pyfennix.training.frames import Frame

# A hydrogen belongs to the nearest heavy atom within this distance, Å
_BOND = 1.35


def label(model: AnyModel, frames: Sequence[Frame],
          shown: Callable[[int], None] | None = None, batch_atoms: int = 1500) -> None:
    """Put the model's energy, forces and virial into the frames, in place; eV and Å.

    ``shown`` is told how many frames are done.
    """
    done = 0
    small = isinstance(model, Model)
    while done < len(frames):
        group = [frames[done]]
        while small and done + len(group) < len(frames) and (
            sum(map(len, group)) + len(frames[done + len(group)]) <= batch_atoms
        ):
            group.append(frames[done + len(group)])
        found = evaluate_batch(model, [(f.numbers, f.positions, f.cell, f.charge) for f in group])
        for frame, one in zip(group, found, strict=True):
            frame.energy = one.energy / units.EV_IN_KCAL
            frame.forces = one.forces / units.EV_IN_KCAL
            frame.virial = None
            if frame.cell is not None and one.virial is not None:
                frame.virial = one.virial / units.EV_IN_KCAL
        done += len(group)
        if shown is not None:
            shown(done)


def shaken(frame: Frame, sigma: float, rng: np.random.Generator) -> Frame:
    """The frame with every component of every atom displaced at random (normal, ``sigma`` Å)."""
    return frame.moved(sigma * rng.standard_normal((len(frame), 3)), "shaken")


def stretched(frame: Frame, sigma: float, rng: np.random.Generator) -> Frame:
    """The frame with every bond to hydrogen stretched at random (normal, ``sigma`` Å)."""
    move = np.zeros((len(frame), 3))
    for hydrogen, direction in bonds_to_hydrogen(frame):
        move[hydrogen] = sigma * rng.standard_normal() * direction
    return frame.moved(move, "stretched")


def bonds_to_hydrogen(frame: Frame) -> list[tuple[int, np.ndarray]]:
    """(hydrogen, unit vector away from its heavy atom) of every hydrogen that has one."""
    first, neighbor, shift = build_pairs(frame.positions, frame.cell, _BOND)
    found = []
    for atom in np.flatnonzero(frame.numbers == 1):
        rows = slice(first[atom], first[atom + 1])
        vectors = frame.positions[neighbor[rows]] - frame.positions[atom]
        if frame.cell is not None:
            vectors = vectors + shift[rows] @ frame.cell
        heavy = frame.numbers[neighbor[rows]] > 1
        if heavy.any():
            vectors = vectors[heavy]
            lengths = np.linalg.norm(vectors, axis=1)
            best = lengths.argmin()
            found.append((int(atom), -vectors[best] / lengths[best]))
    return found


def strained(frame: Frame, most: float, rng: np.random.Generator) -> Frame:
    """The frame with cell and positions scaled by the same factor, within 1 ± ``most``."""
    scale = 1.0 + most * rng.uniform(-1.0, 1.0)
    out = frame.moved((scale - 1.0) * frame.positions, "strained")
    out.cell = None if frame.cell is None else scale * frame.cell
    return out
