# SPDX-License-Identifier: MIT
"""From a pair list with a skin to the pairs within a cutoff, by compiled kernels."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from pyfennix.models.native.library import call

# Beyond this many combinations of shifts and systems, only those that occur get a row
_MAX_CODES = 65536


class PairList(NamedTuple):
    """What the kernels read of a pair list: eight bytes a pair.

    ``first`` (n_center + 1,) int64 and ``neighbor`` (E,) int32 are the list, ``code`` (E,) int32
    the row of each pair in ``shifts`` (codes, 3) float64 and ``system`` (codes,) int64; the last
    is None for one system, all three are None without shifts.
    """

    first: Tensor
    neighbor: Tensor
    code: Tensor | None
    shifts: Tensor | None
    system: Tensor | None


def pack(first: Tensor, neighbor: Tensor, shift: Tensor | None,
         system: Tensor | None = None) -> PairList:
    """Prepare a list once per version.

    Parameters
    ----------
    first, neighbor
        (n_center + 1,) and (E,) int64.
    shift
        (E, 3) whole numbers in float64; None when all are zero.
    system
        (E,) int64, the system of each pair; None when there is one system only.
    """
    if shift is None or not len(shift):
        return PairList(first, neighbor.int(), None, None, None)
    digits = list(shift.T.to(torch.int32).contiguous())
    if system is not None:
        digits.insert(0, system.int())
    # mixed-radix number of the row: system, then the three shifts
    code, total, lows, widths = torch.zeros_like(digits[0]), 1, [], []
    for digit in digits:
        low, high = (int(end) for end in torch.aminmax(digit))
        lows.append(low)
        widths.append(high - low + 1)
        total *= widths[-1]
        code = (code.long() if total > _MAX_CODES else code) * widths[-1] + (digit - low)
    present = torch.arange(total) if total <= _MAX_CODES else None
    if present is None:
        present, code = torch.unique(code, return_inverse=True)
    columns: list[Tensor] = []
    for low, width in zip(reversed(lows), reversed(widths), strict=True):
        columns.insert(0, present % width + low)
        present = present // width
    of_code = columns.pop(0) if system is not None else None
    return PairList(first, neighbor.int(), code.int(), torch.stack(columns, 1).double(), of_code)


def close_pairs(pairs: PairList, positions: Tensor, cell: Tensor | None, cutoff: float,
                dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The pairs closer than ``cutoff``, in the list's order.

    ``positions`` (n_total, 3) and ``cell`` (3, 3) or (systems, 3, 3) are float64 on the CPU.
    Returns vectors (E, 3), formed in float64 and cast to ``dtype``, receiver and neighbor (E,)
    and bounds (n_center + 1,). A pair whose distance is not a number is kept, so that it is seen.
    """
    positions = positions.detach().contiguous()
    n_center = len(pairs.first) - 1
    offset = None
    if pairs.code is not None:
        cells = cell.detach() if pairs.system is None else cell.detach()[pairs.system]
        offset = (pairs.shifts.unsqueeze(1) @ cells).squeeze(1).contiguous()
    kept = torch.empty(len(pairs.neighbor), dtype=torch.int32)
    bounds = torch.empty_like(pairs.first)
    start = positions, pairs.neighbor, pairs.code, offset, pairs.first
    call("keep_pairs", dtype, *start, n_center, cutoff * cutoff, kept, bounds)
    count = int(bounds[-1])
    vectors = torch.empty(count, 3, dtype=dtype)
    receiver = torch.empty(count, dtype=torch.int64)
    neighbor = torch.empty(count, dtype=torch.int64)
    call("fill_pairs", dtype, *start, kept, bounds, n_center, vectors, receiver, neighbor)
    return vectors, receiver, neighbor, bounds
