# SPDX-License-Identifier: MIT
"""Copies of sampled geometries, moved to where dynamics with a worse model may go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyfennix.fragments.molecules import Molecules, find_molecules
from pyfennix.models.pairs import build_pairs
from pyfennix.training.frames import Frame
from pyfennix.training.teacher import shaken, strained, stretched

# standard deviation of the stretch of bonds to hydrogen (twice the thermal one), largest one of
# displacements, and largest strain
STRETCH, SHAKE, STRAIN = 0.06, 0.08, 0.02
# contacts: Å within which atoms of two molecules may be pushed together, to this share of their
# distance, and how many of the molecules are pushed
_NEAR, _CLOSEST, _PUSHED = 3.5, 0.6, 0.1


def moved_copies(frames: Sequence[Frame], seed: int) -> list[Frame]:
    """Unlabelled copies of each frame: hydrogens stretched, everything shaken, molecules pushed.

    Stretches come in pairs of opposite signs, one family with the frame (whose name is set): the
    change of forces says how stiff a bond is, that from one to the other how anharmonic. The
    shaken copy of a periodic frame is strained as well. Amplitudes are drawn for each copy, so that
    small displacements are as usual as large ones. A frame of a single molecule has no copy with
    contacts.
    """
    rng = np.random.default_rng((seed, 7))
    copies = []
    for k, frame in enumerate(frames):
        longer = stretched(frame, STRETCH * rng.uniform(0.3, 1.0), rng)
        shorter = frame.moved(frame.positions - longer.positions, "stretched")
        frame.family = longer.family = shorter.family = f"{seed}.{k}.{frame.run}"
        copies += [longer, shorter]
        copy = shaken(frame, SHAKE * rng.uniform(0.1, 1.0), rng)
        if frame.cell is not None:
            copy = strained(copy, STRAIN, rng)
        copies.append(copy)
        pushed = contacts(frame, rng)
        if pushed is not None:
            copies.append(pushed)
    return copies


def contacts(frame: Frame, rng: np.random.Generator) -> Frame | None:
    """The frame with some molecules pushed towards a neighbour, whole, to short contacts.

    What no dynamics with the accurate model shows, a worse model must still not find attractive.
    None when no two molecules are near each other.
    """
    found = find_molecules(frame.numbers, frame.positions, frame.cell)
    receiver, neighbor, vectors = _between(frame, found)
    if not len(receiver):
        return None
    count = max(1, round(_PUSHED * len(found.size)))
    move = np.zeros_like(frame.positions)
    taken: set[int] = set()
    for pair in rng.permutation(len(receiver)):
        own, other = (int(found.molecule[a[pair]]) for a in (receiver, neighbor))
        if own in taken or other in taken:
            continue
        taken |= {own, other}
        # the root makes close contacts the likelier ones: they matter most
        share = 1.0 - (1.0 - _CLOSEST) * rng.uniform() ** 0.5
        move[found.molecule == own] = (1.0 - share) * vectors[pair]
        count -= 1
        if count == 0:
            break
    return frame.moved(move, "contact")


def _between(frame: Frame, found: Molecules) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of near atoms of different molecules: receiver, neighbour, vector to it."""
    first, neighbor, shift = build_pairs(frame.positions, frame.cell, _NEAR)
    receiver = np.repeat(np.arange(len(frame)), np.diff(first))
    vectors = frame.positions[neighbor] - frame.positions[receiver]
    if frame.cell is not None:
        vectors = vectors + shift @ frame.cell
    apart = found.molecule[receiver] != found.molecule[neighbor]
    return receiver[apart], neighbor[apart], vectors[apart]
