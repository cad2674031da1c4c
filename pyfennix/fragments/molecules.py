# SPDX-License-Identifier: MIT
"""Which atoms are bonded, and which of them together are molecules, from geometry or as given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.fragments.images import nearest_images
from pyfennix.models.fnx.elements import BLOCK_OF, covalent_radii
from pyfennix.models.members import read_system
from pyfennix.models.pairs import build_pairs

# Their contacts are of ions or coordination; a water at a sodium ion is not one molecule with it.
_UNBOUND = ("ALKALI", "ALKALINE", "TRANSITION_METALS", "POST_METALS", "LANTHANIDES", "NOBLE GASES")
_LONGEST = 4.0  # Å, of a bond that somebody gives


@dataclass(frozen=True, eq=False)
class Molecules:
    """Bonds of a system and the molecules that they make.

    Attributes
    ----------
    first, neighbor, shift
        (n + 1,), (2B,), (2B, 3) each atom's bonds, as in :func:`pyfennix.models.pairs.build_pairs`:
        the bond's vector is ``positions[j] - positions[i] + shift @ cell``.
    molecule
        (n,) molecule of each atom, numbered by their first atoms.
    offset
        (n, 3) cells to add to each atom to bring it to its molecule's first atom along bonds.
    size
        (m,) atoms of each molecule.
    endless
        (m,) whether the molecule is bonded to an image of itself, as in a crystal.
    """

    first: np.ndarray
    neighbor: np.ndarray
    shift: np.ndarray
    molecule: np.ndarray
    offset: np.ndarray
    size: np.ndarray
    endless: np.ndarray

    def bonded(self, atom: int) -> np.ndarray:
        """Indices of the atoms bonded to one, images as often as they are."""
        return self.neighbor[self.first[atom] : self.first[atom + 1]]


def find_molecules(numbers, positions, cell=None, bonds: Sequence | np.ndarray | None = None,
                   tolerance: float = 1.25) -> Molecules:
    """Bonds and molecules of a system.

    Without ``bonds``, two atoms are bonded when closer than ``tolerance`` times the sum of their
    covalent radii (Pyykkö and Atsumi 2009); of a hydrogen's only the shortest bond counts, one to
    another hydrogen only if there is no other. Metal and noble gas atoms have no bonds.

    Parameters
    ----------
    numbers, positions
        (n,) atomic numbers and (n, 3) Å; molecules may be cut by the cell's faces.
    cell
        (3, 3) Å, rows are lattice vectors; None if isolated.
    bonds
        (B, 2) pairs of atoms, zero-based, each once; a bond goes to the nearest image.
    tolerance
        Factor, see above.

    Raises
    ------
    InputError
        When the system's arrays are unusable; when a bond names no atom or is longer than 4 Å.
    ModelError
        When bonds are asked of an element beyond Z = 86.
    """
    numbers, positions, cell, _ = read_system(numbers, positions, cell, 0.0)
    if bonds is None:
        first, neighbor, shift = _bonds_by_distance(numbers, positions, cell, tolerance)
    else:
        first, neighbor, shift = _given_bonds(positions, cell, bonds)
    return Molecules(first, neighbor, shift, *_components(first, neighbor, shift))


def _bonds_by_distance(numbers, positions, cell, tolerance: float):
    """The bonds that distances tell, as CSR."""
    elements, kind = np.unique(numbers, return_inverse=True)
    radius = covalent_radii(elements)
    bound = np.array([BLOCK_OF.get(int(z)) not in _UNBOUND for z in elements], dtype=bool)
    if not bound.any():
        empty = np.zeros(0, dtype=np.int64)
        return np.zeros(len(numbers) + 1, np.int64), empty, np.zeros((0, 3), np.int64)
    first, j, shift = build_pairs(positions, cell, 2.0 * tolerance * radius[bound].max())
    i, j = np.repeat(np.arange(len(numbers)), np.diff(first)), j.astype(np.int64)
    vectors = positions[j] - positions[i] + (0.0 if cell is None else shift @ cell)
    length = np.linalg.norm(vectors, axis=1)
    close = bound[kind[i]] & bound[kind[j]]
    close &= length < tolerance * (radius[kind[i]] + radius[kind[j]])
    i, j, shift, length = i[close], j[close], shift[close].astype(np.int64), length[close]
    keep = _one_per_hydrogen(numbers, i, j, shift, length)
    return _bounds(i[keep], len(numbers)), j[keep], shift[keep]


def _one_per_hydrogen(numbers, i, j, shift, length) -> np.ndarray:
    """Which of the directed bonds remain when each hydrogen keeps its best one."""
    hydrogen = numbers == 1
    # any heavy atom is better than a hydrogen
    order = np.lexsort((length, hydrogen[j], i))
    best = np.full(len(numbers), -1)
    ends, place = np.unique(i[order], return_index=True)
    best[ends] = order[place]
    own = ~hydrogen[i] | (best[i] == np.arange(len(i)))
    back = best[j]  # exists, since every bond is listed both ways
    returned = (j[back] == i) & (shift[back] == -shift).all(axis=1) if len(i) else own
    return own & (~hydrogen[j] | returned)


def _given_bonds(positions, cell, bonds):
    """Somebody's (B, 2) bonds as CSR, to nearest images."""
    pairs = np.asarray(bonds)
    pairs = pairs.reshape(-1, 2) if pairs.size == 0 else pairs
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise InputError(f"bonds have shape {pairs.shape}, expected (B, 2) pairs of atoms")
    pairs = pairs.astype(np.int64)
    if len(pairs) and (pairs.min() < 0 or pairs.max() >= len(positions)):
        raise InputError(f"a bond names an atom outside 0 to {len(positions) - 1}")
    i, j = pairs.T
    vectors = positions[j] - positions[i]
    shift = nearest_images(vectors, cell)
    length = np.linalg.norm(vectors + (0.0 if cell is None else shift @ cell), axis=1)
    if len(pairs) and length.max() > _LONGEST:
        a, b = pairs[length.argmax()]
        raise InputError(f"the bond of atoms {a} and {b} is {length.max():.1f} Å long")
    i, j, shift = np.r_[i, j], np.r_[j, i], np.concatenate([shift, -shift])
    order = np.lexsort((j, i))
    return _bounds(i, len(positions)), j[order], shift[order]


def _bounds(receiver: np.ndarray, n: int) -> np.ndarray:
    """(n + 1,) CSR bounds of what each atom receives."""
    return np.concatenate([[0], np.cumsum(np.bincount(receiver, minlength=n))]).astype(np.int64)


def _components(first, neighbor, shift):
    """Molecule and offset of each atom; size and endlessness of each molecule."""
    n = len(first) - 1
    bounds, partners, steps = first.tolist(), neighbor.tolist(), [tuple(s) for s in shift.tolist()]
    molecule, offset = [-1] * n, [(0, 0, 0)] * n
    size, endless = [], []
    for root in range(n):
        if molecule[root] >= 0:
            continue
        label, members, closed = len(size), [root], False
        molecule[root] = label
        for atom in members:
            x, y, z = offset[atom]
            for k in range(bounds[atom], bounds[atom + 1]):
                other, (dx, dy, dz) = partners[k], steps[k]
                there = (x + dx, y + dy, z + dz)
                if molecule[other] < 0:
                    molecule[other], offset[other] = label, there
                    members.append(other)
                elif offset[other] != there:
                    closed = True
        size.append(len(members))
        endless.append(closed)
    return (np.array(molecule, dtype=np.int64), np.array(offset, dtype=np.int64).reshape(-1, 3),
            np.array(size, dtype=np.int64), np.array(endless, dtype=bool))
