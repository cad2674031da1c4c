# SPDX-License-Identifier: MIT
"""A pair list for single evaluations from Python: any cell, any size, O(N)."""

from __future__ import annotations

import numpy as np
import torch

from pyfennix.exceptions import InputError
from pyfennix.models.native.library import available
from pyfennix.models.native.pair_search import find_pairs


def build_pairs(
    positions: np.ndarray, cell: np.ndarray | None, cutoff: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All directed pairs closer than ``cutoff``, images and self-images included.

    Parameters
    ----------
    positions
        (n, 3) float64; need not be wrapped into the cell.
    cell
        (3, 3) rows are lattice vectors, or None for an isolated system. May be triclinic and
        smaller than the cutoff.
    cutoff
        Same unit of length as the positions.

    Returns
    -------
    first (n + 1,), neighbor (E,), shift (E, 3)
        int32, CSR by receiver, sorted by receiver, neighbour, then shift; the pair's vector is
        ``positions[j] - positions[i] + shift @ cell``.

    Raises
    ------
    InputError
        When positions are not finite or the cell has no volume.
    """
    positions = np.asarray(positions, dtype=np.float64).reshape(-1, 3)
    if not np.isfinite(positions).all():
        raise InputError("positions must be finite to build a pair list")
    if cell is None:
        n = len(positions)
        wrap = np.zeros((n, 3), dtype=np.int64)
        wrapped = positions
        owner, image = np.arange(n), np.zeros((n, 3), dtype=np.int64)
        images = positions
    else:
        wrap, wrapped, owner, image, images = _images(positions, np.asarray(cell), cutoff)
    if available(torch.empty(0)):
        return find_pairs(wrapped, wrap, owner, image, images, cutoff)
    return _numpy_pairs(wrapped, wrap, owner, image, images, cutoff)


def _numpy_pairs(wrapped, wrap, owner, image, images, cutoff: float):
    """The same as :func:`find_pairs` without kernels."""
    n = len(wrapped)
    center, other = _close_pairs(wrapped, images, cutoff)
    # a shift refers to the given, unwrapped positions
    shift = image[other] - wrap[owner[other]] + wrap[center]
    neighbor = owner[other]
    keep = (neighbor != center) | shift.any(axis=1)
    center, neighbor, shift = center[keep], neighbor[keep], shift[keep]
    order = np.lexsort((shift[:, 2], shift[:, 1], shift[:, 0], neighbor, center))
    first = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(center, minlength=n), out=first[1:])
    return first, neighbor[order].astype(np.int32), shift[order].astype(np.int32)


def _images(positions: np.ndarray, cell: np.ndarray, cutoff: float):
    """Wrapped atoms, and every periodic image within ``cutoff`` of the cell."""
    if cell.shape != (3, 3) or not abs(np.linalg.det(cell)) > 1e-9:
        raise InputError("the cell must be a (3, 3) matrix with a volume")
    inverse = np.linalg.inv(cell)
    fractional = positions @ inverse
    wrap = np.floor(fractional).astype(np.int64)
    fractional = fractional - wrap
    # one over the height of the cell along each direction
    margin = cutoff * np.linalg.norm(inverse, axis=0)
    reach = np.ceil(margin).astype(int)
    grids = np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij")
    owners, shifts = [], []
    for offset in np.stack(grids, axis=-1).reshape(-1, 3):
        moved = fractional + offset
        near = np.flatnonzero(((moved >= -margin) & (moved <= 1.0 + margin)).all(axis=1))
        owners.append(near)
        shifts.append(np.broadcast_to(offset, (len(near), 3)))
    owner, image = np.concatenate(owners), np.concatenate(shifts)
    wrapped = fractional @ cell
    return wrap, wrapped, owner, image, wrapped[owner] + image @ cell


def _close_pairs(centers: np.ndarray, points: np.ndarray, cutoff: float):
    """Indices (center, point) of all pairs closer than ``cutoff``, found with a grid of bins."""
    if not len(centers):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    low = points.min(axis=0)
    # no more bins than points per direction, however sparse the system
    width = np.maximum(cutoff, (points.max(axis=0) - low) / 256.0)
    size = ((points.max(axis=0) - low) / width).astype(np.int64) + 3
    bin_of = ((points - low) / width).astype(np.int64) + 1
    key = (bin_of[:, 0] * size[1] + bin_of[:, 1]) * size[2] + bin_of[:, 2]
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    home = ((centers - low) / width).astype(np.int64) + 1
    found_center, found_point = [], []
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            row = ((home[:, 0] + dx) * size[1] + home[:, 1] + dy) * size[2] + home[:, 2]
            # three bins in a row along z are contiguous in the sorted keys
            begin = np.searchsorted(sorted_key, row - 1, side="left")
            end = np.searchsorted(sorted_key, row + 1, side="right")
            count = end - begin
            center = np.repeat(np.arange(len(centers)), count)
            within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
            point = order[np.repeat(begin, count) + within]
            difference = points[point] - centers[center]
            close = np.einsum("ij,ij->i", difference, difference) < cutoff * cutoff
            found_center.append(center[close])
            found_point.append(point[close])
    return np.concatenate(found_center), np.concatenate(found_point)
