# SPDX-License-Identifier: MIT
"""Random systems: any elements, charges and cells, single or in batches, no atoms on each other."""

from __future__ import annotations

import itertools

import numpy as np
from exchange import System

from pyfennix.models.fnx.elements import BLOCK_OF, MAX_NUMBER, covalent_radii

CLOSEST = 0.7  # Å, between any two atoms, images included
TINY = 4.0  # Å, about the size of a cell that is full of its own images


def random_systems(count: int, seed: int, numbers: tuple[int, ...] | None) -> list[System]:
    """``count`` requests of all kinds in turn; ``numbers`` None means all blocks of elements."""
    rng = np.random.default_rng(seed)
    kinds = itertools.islice(itertools.cycle(KINDS), count)
    return [_request(label, *KINDS[label], rng, numbers) for label in kinds]


def _request(label, make_cell, batch, total, rng, allowed) -> System:
    """``batch`` systems with ``total`` atoms together, at least one each."""
    cuts = np.sort(rng.choice(np.arange(1, total), batch - 1, replace=False))
    counts = np.diff([0, *cuts, total])
    parts = []
    for n in counts:
        numbers = _elements(n, rng, allowed)
        cell = None if make_cell is None else make_cell(numbers, rng)
        parts.append((numbers, *_place(numbers, cell, rng)))
    cells = [cell for _, _, cell in parts if cell is not None]
    return System(
        label,
        np.concatenate([numbers for numbers, _, _ in parts]).astype(np.int32),
        np.concatenate([positions for _, positions, _ in parts]),
        counts,
        rng.integers(-2, 3, batch),
        np.array(cells) if cells else np.zeros((0, 3, 3)),
    )


def _elements(n: int, rng, allowed) -> np.ndarray:
    """Half organic, half anything; every block is met as often as any other."""
    if allowed is not None:
        return rng.choice(allowed, n)
    blocks: dict[str, list[int]] = {}
    for number, block in BLOCK_OF.items():
        if number <= MAX_NUMBER:
            blocks.setdefault(block, []).append(number)
    names = sorted(blocks)
    anything = np.array([rng.choice(blocks[names[rng.integers(len(names))]]) for _ in range(n)])
    return np.where(rng.random(n) < 0.5, rng.choice([1, 6, 7, 8], n), anything)


def _volume(numbers: np.ndarray) -> float:
    """Å³ in which these atoms are crowded but do not overlap."""
    return float(sum(4.0 + 10.0 * covalent_radii(numbers) ** 3))


def _orthorhombic(numbers, rng) -> np.ndarray:
    lengths = rng.uniform(0.7, 1.4, 3)
    return np.diag(lengths * (_volume(numbers) / lengths.prod()) ** (1 / 3))


def _triclinic(numbers, rng) -> np.ndarray:
    cell = np.eye(3) + 0.3 * rng.uniform(-1, 1, (3, 3))
    return cell * (_volume(numbers) / np.linalg.det(cell)) ** (1 / 3)


def _tiny(numbers, rng) -> np.ndarray:
    cell = np.eye(3) + 0.15 * rng.uniform(-1, 1, (3, 3))
    return cell * max(_volume(numbers) ** (1 / 3), TINY * rng.uniform(0.7, 1.0))


def _any_cell(numbers, rng) -> np.ndarray:
    return (_orthorhombic, _triclinic, _tiny)[rng.integers(3)](numbers, rng)


def _place(numbers, cell, rng) -> tuple[np.ndarray, np.ndarray | None]:
    """Positions at random, none too close; a cell that is too full grows. Not wrapped."""
    radii = covalent_radii(numbers)
    # down to 0.55 of the sum of the radii, where attention is being switched off
    closest = np.maximum(CLOSEST, rng.uniform(0.55, 0.9) * (radii[:, None] + radii))
    frame = np.eye(3) * (1.5 * _volume(numbers)) ** (1 / 3) if cell is None else cell
    while (positions := _attempt(closest, frame, cell is not None, rng)) is None:
        frame = 1.05 * frame
    if cell is None:
        return positions, None
    return positions + rng.integers(-2, 3, (len(numbers), 3)) @ frame, frame


def _attempt(closest, frame, periodic, rng) -> np.ndarray | None:
    """One try to place all atoms, one after the other."""
    reach = range(-2, 3) if periodic else range(1)
    shifts = np.array([(a, b, c) for a in reach for b in reach for c in reach]) @ frame
    own = np.linalg.norm(shifts[np.any(shifts != 0, axis=1)], axis=1)
    if len(own) and own.min() < closest.diagonal().max():
        return None
    placed = np.zeros((0, 3))
    for index in range(len(closest)):
        for _ in range(200):
            point = rng.random(3) @ frame
            gaps = np.linalg.norm(point - placed[:, None] - shifts, axis=2)
            if (gaps.min(axis=1) > closest[index, :index]).all():
                placed = np.vstack([placed, point])
                break
        else:
            return None
    return placed


# label: kind of cell, systems in a request, atoms in all of them. FeNNol compiles for each number
# of atoms and of systems, so these are few; what they are made of differs in every request.
KINDS = {
    "isolated": (None, 1, 25), "orthorhombic": (_orthorhombic, 1, 24), "tiny": (_tiny, 1, 3),
    "triclinic": (_triclinic, 1, 24), "isolated ×2": (None, 2, 24), "cells ×4": (_any_cell, 4, 32),
}
