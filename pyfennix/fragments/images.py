# SPDX-License-Identifier: MIT
"""Periodic images near given points, and which image of an atom is the nearest."""

from __future__ import annotations

import numpy as np

_NEIGHBORS = np.stack(np.meshgrid(*[[0, -1, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
_ROWS = 512  # of a table of distances made at a time


def nearest_images(vectors: np.ndarray, cell: np.ndarray | None) -> np.ndarray:
    """(n, 3) int64 cells to add to each of (n, 3) vectors in Å to make it shortest.

    ``cell`` (3, 3) has lattice vectors as rows, None for an isolated system. Beside the rounded
    fraction its 26 neighbours are tried, which suffices unless the cell is very oblique.
    """
    if cell is None:
        return np.zeros(vectors.shape, dtype=np.int64)
    base = -np.rint(vectors @ np.linalg.inv(cell)).astype(np.int64)
    folded = vectors + base @ cell
    lengths = np.stack([np.linalg.norm(folded + step @ cell, axis=1) for step in _NEIGHBORS])
    # a shorter one must be so beyond rounding, for the answer not to depend on it
    lengths[0] -= 1e-9
    return base + _NEIGHBORS[lengths.argmin(axis=0)]


def distance_to(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(n,) distance in Å of each of (n, 3) points from the nearest of (m, 3) targets."""
    found = np.full(len(points), np.inf)
    for start in range(0, len(points), _ROWS):
        rows = slice(start, start + _ROWS)
        square = np.full(len(points[rows]), np.inf)
        for target in range(0, len(targets), _ROWS):
            between = points[rows, None] - targets[None, target : target + _ROWS]
            each = np.einsum("ijk,ijk->ij", between, between)
            np.minimum(square, each.min(axis=1), out=square)
        found[rows] = np.sqrt(square)
    return found


def images_near(positions: np.ndarray, cell: np.ndarray | None, points: np.ndarray,
                reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every image of every atom within a distance of any of some points.

    Parameters
    ----------
    positions
        (n, 3) Å; need not be wrapped.
    cell
        (3, 3) Å, rows are lattice vectors, also smaller than ``reach``; None if isolated.
    points
        (m, 3) Å, m > 0.
    reach
        Å, inclusive.

    Returns
    -------
    atom (k,), image (k, 3), distance (k,)
        Index, cells added to the atom's position, and distance from the nearest point in Å; an
        atom has a row for each of its images.
    """
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    radius = np.linalg.norm(points - middle, axis=1).max() + reach
    atom, image = _images_in_ball(positions, cell, middle, radius)
    place = positions[atom] if cell is None else positions[atom] + image @ cell
    distance = distance_to(place, points)
    near = distance <= reach
    return atom[near], image[near], distance[near]


def _images_in_ball(positions, cell, middle, radius: float):
    """Atoms and cells of the images within ``radius`` of one point."""
    n = len(positions)
    if cell is None:
        near = np.flatnonzero(np.linalg.norm(positions - middle, axis=1) <= radius)
        return near, np.zeros((len(near), 3), dtype=np.int64)
    inverse = np.linalg.inv(cell)
    fraction = (positions - middle) @ inverse
    home = -np.rint(fraction).astype(np.int64)
    folded = (fraction + home) @ cell
    # in units of the height of the cell along each direction; folded atoms reach half a cell
    reach = np.ceil(radius * np.linalg.norm(inverse, axis=0)).astype(int)
    atoms, images = [np.zeros(0, np.int64)], [np.zeros((0, 3), np.int64)]
    longest = np.linalg.norm(folded, axis=1).max() if n else 0.0
    for step in np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"),
                         -1).reshape(-1, 3):
        offset = step @ cell
        if np.linalg.norm(offset) > radius + longest:
            continue
        near = np.flatnonzero(np.linalg.norm(folded + offset, axis=1) <= radius)
        atoms.append(near)
        images.append(home[near] + step)
    return np.concatenate(atoms), np.concatenate(images)
