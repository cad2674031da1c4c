# SPDX-License-Identifier: MIT
"""A piece of a big system: what is kept of it, and what a model must know of the whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.models.interface import SYMBOLS
from pyfennix.models.pairs import build_pairs

_CLOSEST = 0.7  # Å, of any two atoms


@dataclass(frozen=True, eq=False)
class Fragment:
    """An isolated piece of a system, its periodic images spelled out as atoms of their own.

    Attributes
    ----------
    numbers, positions
        (n,) int64 atomic numbers and (n, 3) Å: inner atoms first, then by distance from them, the
        capping hydrogens last.
    source, image
        (n,) each atom's index in the whole system, -1 for a cap; (n, 3) cells added to its
        position there. A fragment larger than the cell holds several images of one atom.
    inner
        (n,) bool, the atoms whose labels are trusted: at most one image of an atom.
    distance
        (n,) Å from the nearest inner atom.
    bonds
        (B, 2) pairs of its atoms, those to caps included.
    partner, replaced
        (n,) of a cap the atom it is bonded to, an index in the fragment, and the atom whose place
        it took, an index in the whole system; -1 for other atoms.
    composition, total_charge
        {Z: count} and charge (e) of the *whole* system, which some models need.
    margin
        Å within which of any inner atom everything is as in the whole system; infinite when
        nothing is missing.
    complete
        Whether molecules are whole or capped, hence the fragment something that could exist;
        not after :func:`pyfennix.fragments.cut.trim`.
    """

    numbers: np.ndarray
    positions: np.ndarray
    source: np.ndarray
    image: np.ndarray
    inner: np.ndarray
    distance: np.ndarray
    bonds: np.ndarray
    partner: np.ndarray
    replaced: np.ndarray
    composition: dict[int, int]
    total_charge: float
    margin: float
    complete: bool = True

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def caps(self) -> np.ndarray:
        """Indices of the capping hydrogens."""
        return np.flatnonzero(self.source < 0)

    @property
    def formula(self) -> str:
        """Elements and their numbers, caps included, such as ``C12 H30 N2``; carbon first."""
        found, count = np.unique(self.numbers, return_counts=True)
        parts = sorted((z not in (6, 1), z != 6, SYMBOLS[z], n)
                       for z, n in zip(found.tolist(), count.tolist(), strict=True))
        return " ".join(f"{symbol}{n}" for _, _, symbol, n in parts)

    def take(self, rows: np.ndarray, **changes) -> Fragment:
        """The fragment with these of its atoms only (n',), and other attributes as given.

        Raises
        ------
        InputError
            When a cap is kept without the atom it is bonded to.
        """
        place = np.full(len(self), -1)
        place[rows] = np.arange(len(rows))
        bonds = place[self.bonds]
        partner = self.partner[rows]
        kept = np.where(partner >= 0, place[partner], -1)
        if ((partner >= 0) & (kept < 0)).any():
            raise InputError("a cap cannot be kept without the atom that it is bonded to")
        return replace(
            self, numbers=self.numbers[rows], positions=self.positions[rows],
            source=self.source[rows], image=self.image[rows], inner=self.inner[rows],
            distance=self.distance[rows], bonds=bonds[(bonds >= 0).all(axis=1)], partner=kept,
            replaced=self.replaced[rows], **changes,
        )


def complaints(fragment: Fragment, degree: np.ndarray | None = None) -> list[str]:
    """What a chemist would not accept of a complete fragment; empty if nothing.

    Looked at are: any two atoms closer than 0.7 Å; a capping hydrogen further from its partner
    than the covalent bond allows (for C, N and O 0.9 to 1.15 Å), or closer to another atom than
    1.2 Å; a cap within the margin; atoms with other than the number of bonds they had.

    Parameters
    ----------
    degree
        (n_whole,) bonds of each atom of the whole system, ``np.diff(molecules.first)``; None does
        not look at valences.
    """
    found = []
    i, j, length = _close_pairs(fragment)
    found += [f"atoms {a} and {b} are {d:.2f} Å apart"
              for a, b, d in zip(i, j, length, strict=True) if d < _CLOSEST]
    for cap in fragment.caps:
        partner = fragment.partner[cap]
        between = np.linalg.norm(fragment.positions - fragment.positions[cap], axis=1)
        between[cap] = np.inf
        longest = 1.15 if fragment.numbers[partner] in (6, 7, 8) else 1.6
        if not 0.9 < between[partner] < longest:
            found.append(f"cap {cap} is {between[partner]:.2f} Å from its partner {partner}")
        between[partner] = np.inf
        if between.min() < 1.2:
            found.append(f"cap {cap} is {between.min():.2f} Å from atom {between.argmin()}")
        if fragment.distance[cap] <= fragment.margin:
            found.append(f"cap {cap} is within the margin")
    if degree is not None:
        has = np.bincount(fragment.bonds.ravel(), minlength=len(fragment))
        had = np.where(fragment.source >= 0, degree[fragment.source], 1)
        found += [f"atom {k} has {has[k]} bonds, {had[k]} in the whole system"
                  for k in np.flatnonzero(has != had)]
    return found


def _close_pairs(fragment: Fragment):
    """Every pair within 1 Å, once: indices and distances in Å."""
    first, j, _ = build_pairs(fragment.positions, None, 1.0)
    i = np.repeat(np.arange(len(fragment)), np.diff(first))
    once = i < j
    i, j = i[once], j[once]
    return i, j, np.linalg.norm(fragment.positions[i] - fragment.positions[j], axis=1)
