# SPDX-License-Identifier: MIT
"""Which atoms of a big frame to make fragments around, for few to show many surroundings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.fragments.images import distance_to, nearest_images
from pyfennix.fragments.molecules import Molecules, find_molecules
from pyfennix.models.members import read_system
from pyfennix.models.pairs import build_pairs

SOLUTE, INTERFACE, BULK = 0, 1, 2
# Å, where the histogram of neighbours' distances has its points; dense where bonds differ
_GRID = np.array([0.9, 1.2, 1.5, 1.9, 2.5, 3.0, 3.7, 4.5, 5.5])
_OWN = 3.0  # weight of the atom's own element against its neighbours'


def choose_centers(
    numbers,
    positions,
    cell,
    count: int,
    bonds: Molecules | Sequence | np.ndarray | None = None,
    *,
    seed: int = 0,
    shares: tuple[float, float, float] = (0.6, 0.25, 0.15),
    shell: float = 4.0,
    apart: float = 4.0,
) -> np.ndarray:
    """Pick center atoms for fragments: solute first, then water at it, then bulk water.

    The solvent is the most numerous kind of molecule. In each of the three groups, atoms are
    picked one by one, each as different as possible from those before (farthest points) in its
    element and the histogram of elements and distances around it. Only heavy atoms are picked,
    where a molecule has any. The same seed gives the same atoms.

    Parameters
    ----------
    numbers, positions, cell, bonds
        As for :func:`pyfennix.fragments.cut.cut_fragment`.
    count
        How many.
    seed
        Decides where each group begins.
    shares
        Of solute, interface and bulk in the count; those of groups without atoms go to the others.
    shell
        Å from the solute within which a solvent molecule belongs to the interface.
    apart
        Å between picked atoms at least, while a group has such atoms left.

    Returns
    -------
    (count,) int64 indices, group by group; fewer when there are not so many candidates.

    Raises
    ------
    InputError
        When the system is unusable, or count or shares are negative.
    """
    numbers, positions, cell, _ = read_system(numbers, positions, cell, 0.0)
    if count < 0 or min(shares) < 0.0 or sum(shares) <= 0.0:
        raise InputError("count and shares of fragments must not be negative, nor all shares zero")
    if not isinstance(bonds, Molecules):
        bonds = find_molecules(numbers, positions, cell, bonds)
    group = surroundings(numbers, positions, cell, bonds, shell)
    describe = _descriptors(numbers, positions, cell, group == SOLUTE)
    heavy = np.bincount(bonds.molecule, numbers > 1, len(bonds.size)) > 0
    candidate = (numbers > 1) | ~heavy[bonds.molecule]
    pools = [np.flatnonzero(candidate & (group == kind)) for kind in (SOLUTE, INTERFACE, BULK)]
    wanted = _share_out(count, shares, [len(pool) for pool in pools])
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for pool, many in zip(pools, wanted, strict=True):
        chosen += _farthest(pool, many, describe, positions, cell, chosen, apart, rng)
    return np.array(chosen, dtype=np.int64)


def surroundings(numbers, positions, cell, molecules: Molecules, shell: float) -> np.ndarray:
    """(n,) whether each atom is SOLUTE, or of a solvent molecule at the INTERFACE or in the BULK.

    Arrays as in :class:`pyfennix.fragments.cutting.Cutter`; ``shell`` in Å as above.
    """
    if not len(numbers):
        return np.zeros(0, dtype=np.int64)
    _, kind = np.unique(numbers, return_inverse=True)
    formula = np.zeros((len(molecules.size), kind.max() + 1), dtype=np.int64)
    np.add.at(formula, (molecules.molecule, kind), 1)
    _, species, many = np.unique(formula, axis=0, return_inverse=True, return_counts=True)
    solute = (species.ravel() != many.argmax())[molecules.molecule]
    first, neighbor, _ = build_pairs(positions, cell, shell)
    receiver = np.repeat(np.arange(len(numbers)), np.diff(first))
    touches = np.zeros(len(molecules.size), dtype=bool)
    touches[molecules.molecule[receiver[solute[neighbor]]]] = True
    return np.where(solute, SOLUTE, np.where(touches[molecules.molecule], INTERFACE, BULK))


def _descriptors(numbers, positions, cell, solute: np.ndarray) -> np.ndarray:
    """(n, d) own element, and smoothed histogram of neighbours by element, solute and distance."""
    elements, kind = np.unique(numbers, return_inverse=True)
    first, neighbor, shift = build_pairs(positions, cell, _GRID[-1])
    receiver = np.repeat(np.arange(len(numbers)), np.diff(first))
    vectors = positions[neighbor] - positions[receiver]
    length = np.linalg.norm(vectors if cell is None else vectors + shift @ cell, axis=1)
    # each distance counts at the two points of the grid around it
    length = np.maximum(length, _GRID[0])
    left = np.minimum(np.searchsorted(_GRID, length, side="right") - 1, len(_GRID) - 2)
    right_part = (length - _GRID[left]) / (_GRID[left + 1] - _GRID[left])
    channel = 2 * kind[neighbor] + solute[neighbor]
    size = 2 * len(elements) * len(_GRID)
    column = (receiver * 2 * len(elements) + channel) * len(_GRID) + left
    total = len(numbers) * size
    sums = np.bincount(column, 1.0 - right_part, total)
    sums += np.bincount(column + 1, right_part, total)
    histogram = sums.reshape(len(numbers), size)
    # what comes within the last interval fades, so that crossing the end changes nothing
    histogram[:, len(_GRID) - 1 :: len(_GRID)] = 0.0
    return np.concatenate([np.sqrt(histogram), _OWN * np.eye(len(elements))[kind]], axis=1)


def _share_out(count: int, shares: Sequence[float], most: Sequence[int]) -> list[int]:
    """How many of each group: by their shares, none more than it has, earlier groups first."""
    found = [0] * len(most)
    for _ in range(min(count, sum(most))):
        open_groups = [k for k in range(len(most)) if found[k] < most[k]]
        # Sainte-Laguë: the group furthest behind its share; those without any share come last
        behind = [(found[k] + 0.5) / shares[k] if shares[k] > 0 else np.inf for k in open_groups]
        found[open_groups[int(np.argmin(behind))]] += 1
    return found


def _farthest(pool, many: int, describe, positions, cell, before: list[int], apart: float,
              rng) -> list[int]:
    """Indices of ``many`` atoms of a pool, each farthest from the earlier ones in description."""
    if not many:
        return []
    crowded = np.zeros(len(pool), dtype=bool)
    for atom in before:
        crowded |= _near(positions, cell, pool, atom, apart)
    distance = np.full(len(pool), np.inf)
    free = np.flatnonzero(~crowded)
    pick = int(rng.choice(free if len(free) else len(pool)))
    chosen: list[int] = []
    while True:
        chosen.append(int(pool[pick]))
        if len(chosen) == many:
            return chosen
        new = distance_to(describe[pool], describe[pool[pick]][None])
        distance = np.minimum(distance, new)
        distance[pick] = -np.inf
        crowded |= _near(positions, cell, pool, chosen[-1], apart)
        left = np.where(crowded, -np.inf, distance)
        left = left if np.isfinite(left).any() else distance
        pick = int(left.argmax())


def _near(positions, cell, pool, atom: int, apart: float) -> np.ndarray:
    """Which of a pool are within a distance of an atom."""
    vectors = positions[pool] - positions[atom]
    shift = nearest_images(vectors, cell)
    vectors = vectors if cell is None else vectors + shift @ cell
    return np.linalg.norm(vectors, axis=1) < apart
