# SPDX-License-Identifier: MIT
"""Gathers to edges and sums over edges, differentiable twice.

Edge-wise arrays of RASTER are kept as *columns*, (width, edges): products that broadcast over
heads or components then run along contiguous memory, many times faster than over short rows.
Atoms are kept as rows, (atoms, width).
"""

from __future__ import annotations

import torch
from torch import Tensor


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
    flat = rows.reshape(rows.shape[0], shape.numel())
    return _SumRows.apply(flat, order, first, owner).reshape(-1, *shape)


def sum_columns(columns: Tensor, order: Tensor, first: Tensor, owner: Tensor) -> Tensor:
    """(F, E) -> (n, F): the same sum for columns."""
    return _SumColumns.apply(columns, order, first, owner)


def spread_columns(values: Tensor, order: Tensor, first: Tensor, owner: Tensor) -> Tensor:
    """(n, F) -> (F, E): each edge gets its owner's values (adjoint of :func:`sum_columns`)."""
    return _SpreadColumns.apply(values, order, first, owner)


def gather_columns(values: Tensor, index: Tensor) -> Tensor:
    """(n, F) -> (F, E): ``values[index]`` as columns, for an index in any order."""
    return _GatherColumns.apply(values, index)


def _bag(rows: Tensor, order: Tensor, first: Tensor) -> Tensor:
    return torch.nn.functional.embedding_bag(
        order, rows, first, mode="sum", include_last_offset=True
    )


def _columns(values: Tensor, index: Tensor) -> Tensor:
    # selecting columns of the small array costs half of selecting rows and transposing the result
    return values.T.contiguous().index_select(1, index)


class _SumRows(torch.autograd.Function):
    """Its backward pass is :class:`_SpreadRows` and vice versa."""

    @staticmethod
    def forward(ctx, rows, order, first, owner):
        ctx.save_for_backward(order, first, owner)
        return _bag(rows, order, first)

    @staticmethod
    def backward(ctx, grad):
        return _SpreadRows.apply(grad, *ctx.saved_tensors), None, None, None


class _SpreadRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, order, first, owner):
        ctx.save_for_backward(order, first, owner)
        return values.index_select(0, owner)

    @staticmethod
    def backward(ctx, grad):
        return _SumRows.apply(grad.contiguous(), *ctx.saved_tensors), None, None, None


class _SumColumns(torch.autograd.Function):
    """Its backward pass is :class:`_SpreadColumns` and vice versa."""

    @staticmethod
    def forward(ctx, columns, order, first, owner):
        ctx.save_for_backward(order, first, owner)
        return _bag(columns.T.contiguous(), order, first)

    @staticmethod
    def backward(ctx, grad):
        return _SpreadColumns.apply(grad, *ctx.saved_tensors), None, None, None


class _SpreadColumns(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, order, first, owner):
        ctx.save_for_backward(order, first, owner)
        return _columns(values, owner)

    @staticmethod
    def backward(ctx, grad):
        return _SumColumns.apply(grad, *ctx.saved_tensors), None, None, None


class _GatherColumns(torch.autograd.Function):
    """Its backward pass is :class:`_ScatterColumns` and vice versa."""

    @staticmethod
    def forward(ctx, values, index):
        ctx.save_for_backward(index)
        ctx.n = len(values)
        return _columns(values, index)

    @staticmethod
    def backward(ctx, grad):
        return _ScatterColumns.apply(grad, ctx.saved_tensors[0], ctx.n), None


class _ScatterColumns(torch.autograd.Function):
    @staticmethod
    def forward(ctx, columns, index, n):
        ctx.save_for_backward(index)
        rows = columns.T.contiguous()
        return rows.new_zeros(n, rows.shape[1]).index_add_(0, index, rows)

    @staticmethod
    def backward(ctx, grad):
        return _GatherColumns.apply(grad, ctx.saved_tensors[0]), None, None
