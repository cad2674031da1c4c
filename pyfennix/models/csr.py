# SPDX-License-Identifier: MIT
"""Lists of edges grouped by receiver: their bounds, checked or after some edges are dropped."""

from __future__ import annotations

import torch
from torch import Tensor

from pyfennix.exceptions import ModelError


def kept_rows(keep: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of the true rows of a (E,) mask, and the CSR bounds of what remains."""
    rows = keep.nonzero().squeeze(1)
    # the first kept row at or after each old bound
    return rows, torch.searchsorted(rows, first)


def check_csr(numbers, first, neighbor, shift, n_local, n_center, n_total) -> None:
    """Refuse arrays whose sizes or indices contradict each other."""
    if not 0 <= n_local <= n_center <= n_total or len(numbers) != n_total:
        raise ModelError(
            f"expected n_local <= n_center <= n_total = len(numbers), got "
            f"{n_local}, {n_center}, {n_total}, {len(numbers)}"
        )
    if len(first) != n_center + 1 or first[0] != 0 or first[-1] != len(neighbor):
        raise ModelError("the bounds of the pair list do not fit its length")
    if len(shift) != len(neighbor):
        raise ModelError("the pair list has a different number of shifts and neighbours")
    if len(neighbor) and (neighbor.min() < 0 or neighbor.max() >= n_total):
        raise ModelError("the pair list names an atom that does not exist")


def check_geometry(positions: Tensor, cell: Tensor | None, n_total: int) -> None:
    """Refuse positions or cells that the pair list was not made for; ModelError."""
    if positions.dtype != torch.float64 or positions.shape != (n_total, 3):
        raise ModelError(f"expected float64 positions of shape ({n_total}, 3), got "
                         f"{positions.dtype} of shape {tuple(positions.shape)}")
    if cell is not None and (cell.dtype != torch.float64 or cell.shape[-2:] != (3, 3)):
        raise ModelError(f"expected a float64 cell of shape (3, 3), got {cell.dtype} of shape "
                         f"{tuple(cell.shape)}")
