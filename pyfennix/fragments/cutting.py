# SPDX-License-Identifier: MIT
"""Where a molecule that is too big may be cut, and how far a piece of it must grow for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.fragments.molecules import Molecules

Site = tuple[int, int, int, int]  # an atom, and the cells added to its position

# How good a place to cut a bond is; smaller is better, and NEVER is not cut at all
CARBONS, CARBON_CHAIN, SINGLE, CONJUGATED, NEVER = 1, 2, 3, 4, 5
_RING = 7  # bonds of rings up to this size are never cut
_DOUBLE = 1.42  # Å, of bonded unsaturated carbons that are closer than a single bond


class Cutter:
    """Finds places to cut the molecules of a system.

    The kind of a bond follows from how many neighbours its atoms have: no bond orders are needed.

    Parameters
    ----------
    numbers, positions, cell
        (n,), (n, 3) Å, and (3, 3) Å (rows) or None.
    molecules
        Of :func:`pyfennix.fragments.molecules.find_molecules`.
    """

    def __init__(self, numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray | None,
                 molecules: Molecules):
        self._numbers, self._positions, self._cell = numbers, positions, cell
        self._molecules = molecules
        self._known: dict[tuple, int] = {}

    def position(self, site: Site) -> np.ndarray:
        """(3,) Å."""
        place = self._positions[site[0]]
        return place if self._cell is None else place + np.array(site[1:]) @ self._cell

    def bonded(self, site: Site) -> list[Site]:
        """The sites bonded to one."""
        rows = slice(self._molecules.first[site[0]], self._molecules.first[site[0] + 1])
        steps = self._molecules.shift[rows].tolist()
        return [(j, site[1] + x, site[2] + y, site[3] + z) for j, (x, y, z)
                in zip(self._molecules.neighbor[rows].tolist(), steps, strict=True)]

    def degree(self, atom: int) -> int:
        """Bonds of an atom."""
        return int(self._molecules.first[atom + 1] - self._molecules.first[atom])

    def rank(self, a: Site, b: Site) -> int:
        """How good a place to cut a bond is.

        ``CARBONS`` between two sp3 carbons; ``CARBON_CHAIN`` between an sp3 and another carbon,
        as in a peptide between alpha carbon and carbonyl; ``SINGLE`` between other heavy atoms;
        ``CONJUGATED`` for single bonds with some double character, amides among them; ``NEVER``
        for double and aromatic ones, in rings of up to seven atoms, and to an atom that has no
        other bond.
        """
        key = (a[0], b[0], b[1] - a[1], b[2] - a[2], b[3] - a[3])
        if key not in self._known:
            self._known[key] = self._rank(a, b)
        return self._known[key]

    def _rank(self, a: Site, b: Site) -> int:
        first, second = int(self._numbers[a[0]]), int(self._numbers[b[0]])
        if self.degree(a[0]) < 2 or self.degree(b[0]) < 2 or 1 in (first, second):
            return NEVER
        if self.ring_size(a, b) <= _RING:
            return NEVER
        flat = self._flat(a[0]), self._flat(b[0])
        carbon = (first, second) == (6, 6)
        if not any(flat):
            return CARBONS if carbon else SINGLE
        if not all(flat):
            if carbon:
                return CARBON_CHAIN
            return CONJUGATED if self._lone_pair_at_double_bond(a[0], b[0], flat) else SINGLE
        between = np.linalg.norm(self.position(b) - self.position(a))
        double = carbon and between < _DOUBLE
        alone = not (self._flat_elsewhere(a[0], b[0]) and self._flat_elsewhere(b[0], a[0]))
        return NEVER if double or alone else CONJUGATED

    def _flat(self, atom: int) -> bool:
        """Whether an atom is sp2 or sp, by how many neighbours it has."""
        number, degree = int(self._numbers[atom]), self.degree(atom)
        if number == 6:
            return degree < 4
        if number == 7:
            return degree < 3 or (degree == 3 and any(
                self._numbers[j] == 6 and self.degree(int(j)) < 4
                for j in self._molecules.bonded(atom)))
        if number == 8:
            return degree < 2
        return number == 5 and degree < 4

    def _flat_elsewhere(self, atom: int, partner: int) -> bool:
        """Whether an atom could have its double bond, or share its pair, with another one."""
        if self._numbers[atom] == 7 and self.degree(atom) == 3:
            return True
        return any(self._flat(int(j)) for j in self._molecules.bonded(atom) if j != partner)

    def _lone_pair_at_double_bond(self, a: int, b: int, flat: tuple[bool, bool]) -> bool:
        """Whether a bond from O or S to a flat carbon, as in esters."""
        carbon, other = (a, b) if flat[0] else (b, a)
        return self._numbers[carbon] == 6 and self._numbers[other] in (8, 16)

    def ring_size(self, a: Site, b: Site) -> float:
        """Atoms of the smallest ring through a bond; infinity beyond eight."""
        seen, front = {a}, [a]
        for size in range(2, _RING + 2):
            ahead = []
            for site in front:
                for other in self.bonded(site):
                    if (site, other) == (a, b) or other in seen:
                        continue
                    if other == b:
                        return size
                    seen.add(other)
                    ahead.append(other)
            front = ahead
        return np.inf


def grow(cutter: Cutter, start: Collection[Site], inside: Callable[[Site], bool],
         near: Callable[[Site, int], bool],
         limit: int) -> tuple[set[Site], list[tuple[Site, Site]]]:
    """Add atoms to a piece of a molecule until it can be cut off.

    A bond of better rank is preferred to a nearer one while it is ``near``. An atom that two kept
    ones are bonded to is kept, since the hydrogens instead of it would meet.

    Parameters
    ----------
    start
        Kept in any case.
    inside
        Whether a site must be kept if one bonded to it is.
    near
        Whether a site may be added in search of bonds of a rank.
    limit
        Most sites to add where no bond can be cut near by.

    Returns
    -------
    The kept sites, and the cut bonds, each from the kept to the other site.

    Raises
    ------
    InputError
        When ``limit`` is passed.
    """
    kept = set(start)
    while True:
        cuts = [(a, b) for a in sorted(kept) for b in cutter.bonded(a) if b not in kept]
        ends = Counter(b for _, b in cuts)
        added = {b for b in ends if inside(b)} or {b for b in ends if ends[b] > 1}
        if not added:
            further = (_beyond(cutter, a, b, kept, near, limit) for a, b in cuts)
            added = next((found for found in further if found), set())
        if not added:
            return kept, cuts
        kept |= added


def _beyond(cutter: Cutter, a: Site, b: Site, kept: set[Site], near, limit: int) -> set[Site]:
    """What to add beyond a bond for the best cut near by; nothing if it is the bond itself."""
    for rank in range(CARBONS, NEVER):
        found = _closure(cutter, a, b, kept, rank, near, limit)
        if found is not None:
            return found
    found = _closure(cutter, a, b, kept, CONJUGATED, lambda *_: True, limit)
    if found is None:
        raise InputError(f"no bond within {limit} atoms of atom {a[0]} can be cut: raise "
                         "max_molecule for its molecule to stay whole")
    return found


def _closure(cutter: Cutter, a: Site, b: Site, kept: set[Site], rank: int, near,
             limit: int) -> set[Site] | None:
    """Everything beyond a bond up to bonds of a rank; None if that leads too far."""
    if cutter.rank(a, b) <= rank:
        return set()
    added, front = {b}, [b]
    while front:
        site = front.pop()
        if not near(site, rank) or len(added) > limit:
            return None
        for other in cutter.bonded(site):
            if other not in kept and other not in added and cutter.rank(site, other) > rank:
                added.add(other)
                front.append(other)
    return added
