# SPDX-License-Identifier: MIT
"""What is known of the systems in a topology: compositions, charges, and the kinds of atoms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pyfennix.exceptions import ModelError

Composition = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Systems:
    """One system, or several that are evaluated together.

    Atoms of one element differ between systems of unequal composition or charge, because some
    models let charges depend on the whole system. A *group* is what equal systems share, and a
    *kind* is an element within a group: whatever needs no geometry is computed once per kind.

    Attributes
    ----------
    groups
        (composition, total charge) of each group; a composition is ((Z, count), ...) by
        increasing Z.
    group_of
        Group of each system.
    """

    groups: tuple[tuple[Composition, float], ...]
    group_of: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, members: list[tuple[Composition, float]]) -> Systems:
        """From composition and charge of each system; equal ones share a group."""
        place: dict[tuple[Composition, float], int] = {}
        group_of = tuple(place.setdefault(member, len(place)) for member in members)
        return cls(tuple(place), group_of)

    @property
    def kind_numbers(self) -> list[int]:
        """Atomic number of each kind: the elements of the first group, then of the second, …"""
        return [z for composition, _ in self.groups for z, _ in composition]

    @property
    def kind_counts(self) -> list[int]:
        """Atoms of each kind in one system of its group."""
        return [count for composition, _ in self.groups for _, count in composition]

    @property
    def kind_groups(self) -> list[int]:
        """Group of each kind."""
        return [g for g, (composition, _) in enumerate(self.groups) for _ in composition]

    @property
    def charges(self) -> list[float]:
        """Total charge of each group in e."""
        return [charge for _, charge in self.groups]

    def starts(self) -> np.ndarray:
        """First kind of each group, and the number of kinds."""
        return np.cumsum([0] + [len(composition) for composition, _ in self.groups])

    def kinds(self, system: int, numbers: np.ndarray) -> np.ndarray:
        """Kind of each atom of a system."""
        group = self.group_of[system]
        known = np.array([z for z, _ in self.groups[group][0]], dtype=np.int64)
        return self.starts()[group] + np.searchsorted(known, numbers)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """The ordered pairs of kinds that may meet, group by group: first and second kind."""
        ranges = [np.arange(a, b) for a, b in pairwise(self.starts())]
        none = np.zeros(0, dtype=np.int64)
        first = [np.repeat(kinds, len(kinds)) for kinds in ranges]
        second = [np.tile(kinds, len(kinds)) for kinds in ranges]
        return np.concatenate([none, *first]), np.concatenate([none, *second])

    def pair_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """(K,), (K,): pair (i, j) of :meth:`pairs` is number ``row[i] + column[j]``."""
        sizes = np.diff(self.starts())
        start = np.cumsum(np.concatenate([[0], sizes**2]))[:-1]
        column = np.concatenate([np.zeros(0, dtype=np.int64), *(np.arange(n) for n in sizes)])
        return np.repeat(start, sizes) + column * np.repeat(sizes, sizes), column


def composition_of(given, numbers: np.ndarray) -> Composition:
    """A composition as ((Z, count), ...), by increasing Z, that covers the atoms.

    ``given`` is {Z: count}, counts indexed by Z, or None to count ``numbers``. ModelError when
    an atom is not in it.
    """
    if given is None:
        found, count = np.unique(numbers, return_counts=True)
        pairs = zip(found, count, strict=True)
    elif isinstance(given, Mapping):
        pairs = given.items()
    else:
        pairs = enumerate(np.asarray(given))
    counts = tuple(sorted((int(z), int(n)) for z, n in pairs if n > 0))
    missing = set(np.unique(numbers).tolist()) - {z for z, _ in counts}
    if missing:
        raise ModelError(f"the composition of the system lacks atomic numbers {sorted(missing)}")
    return counts
