# SPDX-License-Identifier: MIT
"""A labelled geometry, and the division of many into training and validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pyfennix.exceptions import InputError

# kinds of geometries that were made from others or chosen because they are bad, not met in time
MADE = ("stretched", "shaken", "strained", "contact", "worst", "hole", "fragment")
_GAP = 0.05  # of a run, between what is learned from and what is held out


@dataclass(eq=False)
class Frame:
    """One geometry with labels; labels that are None are unknown and not trained on.

    Attributes
    ----------
    numbers, positions
        (n,) int64 and (n, 3) float64 in Å.
    cell
        (3, 3) rows are lattice vectors in Å; None for an isolated system.
    energy, forces, virial
        eV, (n, 3) eV/Å, and (3, 3) eV, +dE/dstrain.
    charge
        Total charge in e.
    run
        Name of the trajectory or scan the frame is from: frames of one run resemble each other,
        and of several runs none is divided between training and validation.
    weights
        (n,) weight of each atom's force in the loss, 0 where a label is not to be trusted (outer
        atoms of a fragment); None means 1. A frame with weights has no energy of its own.
    kind
        Free word on how the geometry was made.
    family
        Name that a geometry shares with copies of it whose bonds are stretched: they are learned
        from together, and the change of their forces counts in the loss. Empty: none.
    """

    numbers: np.ndarray
    positions: np.ndarray
    cell: np.ndarray | None = None
    energy: float | None = None
    forces: np.ndarray | None = None
    virial: np.ndarray | None = None
    charge: float = 0.0
    run: str = ""
    weights: np.ndarray | None = None
    kind: str = ""
    family: str = ""
    cache: dict = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def family_of_atoms(self) -> tuple[str, bytes]:
        """What relatives have in common: the family's name and the atoms."""
        return self.family, self.numbers.tobytes()

    @property
    def largest_force(self) -> float:
        """Length of the largest labelled force, eV/Å; 0 without forces."""
        if self.forces is None or not len(self):
            return 0.0
        return float(np.linalg.norm(self.forces, axis=1).max())

    def moved(self, displacement: np.ndarray, kind: str) -> Frame:
        """A copy without labels, its atoms displaced by (n, 3) Å."""
        return Frame(self.numbers, self.positions + displacement, self.cell, charge=self.charge,
                     run=self.run, weights=self.weights, kind=kind)


def split_by_run(frames: Sequence[Frame], fraction: float,
                 seed: int) -> tuple[list[Frame], list[Frame]]:
    """(training, validation): a share of the runs, whole, is held out.

    Where all frames are one named run, in the order of time, the last ones are held out, and as
    many as a twentieth of the run before them left out, so that none resembles another because of
    time. Without names single frames are drawn: the errors then flatter if they follow each other.

    Raises
    ------
    InputError
        When the only run holds frames that were made of others of it or chosen from them.
    """
    runs = sorted({frame.run for frame in frames})
    if len(runs) == 1 and runs[0] and fraction > 0:
        return _end_of_run(frames, round(fraction * len(frames)))
    rng = np.random.default_rng(seed)
    if len(runs) < 2:
        held = set(rng.permutation(len(frames))[: round(fraction * len(frames))].tolist())
        chosen = [k in held for k in range(len(frames))]
    else:
        count = max(1, round(fraction * len(runs))) if fraction > 0 else 0
        names = {runs[k] for k in rng.permutation(len(runs))[:count]}
        chosen = [frame.run in names for frame in frames]
    pairs = list(zip(frames, chosen, strict=True))
    return [f for f, out in pairs if not out], [f for f, out in pairs if out]


def _end_of_run(frames: Sequence[Frame], held: int) -> tuple[list[Frame], list[Frame]]:
    kinds = {frame.kind for frame in frames}
    if any(frame.family for frame in frames) or (len(kinds) > 1 and kinds & set(MADE)):
        raise InputError(f"all frames are of one run, {frames[0].run}, and some were made of or "
                         "chosen from others: none can be held out that does not resemble the "
                         "rest; name validation files, or set held_out = 0")
    held = min(held, len(frames) - 1)
    if held < 1:
        return list(frames), []
    first = len(frames) - held
    end = max(1, first - max(1, round(_GAP * len(frames))))
    return list(frames[:end]), list(frames[first:])
