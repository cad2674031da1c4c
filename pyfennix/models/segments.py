"""Sums over contiguous groups of rows (the neighbours of each receiver), differentiable twice."""

from __future__ import annotations

import torch
from torch import Tensor


class _SegmentSum(torch.autograd.Function):
    """Row sums by segment; its backward pass is :class:`_SegmentSpread` and vice versa."""

    @staticmethod
    def forward(ctx, rows: Tensor, order: Tensor, first: Tensor, owner: Tensor) -> Tensor:
        ctx.save_for_backward(order, first, owner)
        return torch.nn.functional.embedding_bag(
            order, rows, first, mode="sum", include_last_offset=True
        )

    @staticmethod
    def backward(ctx, grad: Tensor):
        order, first, owner = ctx.saved_tensors
        return _SegmentSpread.apply(grad, order, first, owner), None, None, None


class _SegmentSpread(torch.autograd.Function):
    """Copy the row of each segment to all rows of the segment."""

    @staticmethod
    def forward(ctx, values: Tensor, order: Tensor, first: Tensor, owner: Tensor) -> Tensor:
        ctx.save_for_backward(order, first, owner)
        return values.index_select(0, owner)

    @staticmethod
    def backward(ctx, grad: Tensor):
        order, first, owner = ctx.saved_tensors
        return _SegmentSum.apply(grad.contiguous(), order, first, owner), None, None, None


def segment_sum(rows: Tensor, order: Tensor, first: Tensor, owner: Tensor) -> Tensor:
    """Sum rows by owner: ``out[i] = sum of rows[order[first[i]:first[i + 1]]]``.

    Much faster on a CPU than ``index_add`` and ``segment_reduce``, and deterministic.

    Parameters
    ----------
    rows
        (E, ...) values, one row per edge, in any order.
    order
        (E,) int64, positions of the rows when they are sorted by owner.
    first
        (n + 1,) int64, bounds of each owner's group within ``order``.
    owner
        (E,) int64, the owner of each row (redundant with the two others; the backward pass
        reads it).

    Returns
    -------
    (n, ...) sums; zero for an owner without rows.
    """
    shape = rows.shape[1:]
    flat = rows.reshape(rows.shape[0], -1)
    return _SegmentSum.apply(flat, order, first, owner).reshape(-1, *shape)


def segment_spread(values: Tensor, order: Tensor, first: Tensor, owner: Tensor) -> Tensor:
    """Give every edge the row of its owner: ``out[e] = values[owner[e]]`` (adjoint of the sum)."""
    shape = values.shape[1:]
    flat = values.reshape(values.shape[0], -1)
    return _SegmentSpread.apply(flat, order, first, owner).reshape(-1, *shape)
