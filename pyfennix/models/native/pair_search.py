# SPDX-License-Identifier: MIT
"""The pair list of a whole system by compiled kernels."""

from __future__ import annotations

import numpy as np
import torch

from pyfennix.models.native.edges import sorted_edges
from pyfennix.models.native.library import call


def find_pairs(centers: np.ndarray, wrap: np.ndarray, owner: np.ndarray, image: np.ndarray,
               points: np.ndarray, cutoff: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of centers and images of atoms closer than ``cutoff``.

    Parameters
    ----------
    centers, wrap
        (n, 3) positions inside the cell, and the whole cells (int64) that were subtracted.
    owner, image, points
        (m,), (m, 3) and (m, 3): each image's atom, cells added to the wrapped atom, position.

    Returns
    -------
    As :func:`pyfennix.models.pairs.build_pairs`.
    """
    n = len(centers)
    # images in the order of atom, then cell: then the pairs of a center need no sorting
    order = np.lexsort((image[:, 2], image[:, 1], image[:, 0], owner))
    owner, image, points = owner[order], np.ascontiguousarray(image[order]), points[order]
    size, low, width, bin_of = _bins(centers, cutoff)
    by_bin, bounds = sorted_edges(torch.from_numpy(bin_of), int(np.prod(size)))
    columns = [torch.from_numpy(np.ascontiguousarray(column)) for column in centers[by_bin].T]
    itself = np.where(image.any(axis=1), -1, owner)
    start = (*_tensors(points, itself), len(points), *columns, by_bin, bounds,
             *_tensors(size, low), float(width), float(cutoff))
    begin = torch.empty(len(points) + 1, dtype=torch.int64)
    call("find_pairs", torch.float64, *start, begin, None, None)
    found = torch.empty(int(begin[-1]), dtype=torch.int64)
    point_of = torch.empty(len(found), dtype=torch.int32)
    call("find_pairs", torch.float64, *start, begin, found, point_of)
    # stable: the points of a center stay in order
    by_center, first = sorted_edges(found, n)
    neighbor = torch.empty(len(found), dtype=torch.int32)
    shift = torch.empty(len(found), 3, dtype=torch.int32)
    call("write_pairs", torch.float64, by_center, first, n, point_of,
         *_tensors(owner, image, wrap), neighbor, shift)
    return first.numpy().astype(np.int32), neighbor.numpy(), shift.numpy()


def _tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]


def _bins(centers: np.ndarray, cutoff: float):
    """Bins at least a cutoff wide, not many more than atoms; the bin of each center."""
    if not len(centers):
        return np.ones(3, dtype=np.int64), np.zeros(3), 1.0, np.zeros(0, dtype=np.int64)
    low = centers.min(axis=0)
    extent = centers.max(axis=0) - low
    width = max(cutoff, extent.max() / 1024.0) or 1.0
    while np.prod(np.floor(extent / width) + 1.0) > 64 + 4 * len(centers):
        width *= 1.25
    size = (extent / width).astype(np.int64) + 1
    home = np.minimum(((centers - low) / width).astype(np.int64), size - 1)
    return size, low, width, (home[:, 0] * size[1] + home[:, 1]) * size[2] + home[:, 2]
