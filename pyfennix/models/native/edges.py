# SPDX-License-Identifier: MIT
"""Compiled kernels for lists of edges: their order, their short part, forces from gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from pyfennix.models.native.library import available, call, first_derivative


def sorted_edges(index: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Edges in the order of an index, equal ones in their old order; by torch without kernels.

    Parameters
    ----------
    index
        (E,) int64, each from 0 to n - 1: an edge's neighbour, for example.
    n
        Number of values.

    Returns
    -------
    (E,) int64 positions in ``index``, and (n + 1,) int64 bounds: those of value v are
    ``order[bounds[v]:bounds[v + 1]]``.
    """
    bounds = torch.empty(n + 1, dtype=torch.int64, device=index.device)
    if not available(torch.empty(0, device=index.device)):
        bounds[0] = 0
        torch.cumsum(torch.bincount(index, minlength=n), 0, out=bounds[1:])
        return torch.argsort(index, stable=True), bounds
    index, order = index.contiguous(), torch.empty_like(index)
    parts = min(torch.get_num_threads(), 16)
    counts = torch.empty(parts * n, dtype=torch.int32)
    call("sort_edges", torch.float32, index, len(index), n, parts, counts, bounds, order)
    return order, bounds


def short_edges(vectors: Tensor, neighbor: Tensor, first: Tensor, cutoff: float, least: float):
    """The edges whose length, raised to ``sqrt(least)`` at least, is below ``cutoff``.

    Returns vectors (S, 3), differentiable once, receiver and neighbor (S,) and bounds
    (n_center + 1,), in the old order. An edge whose length is not a number is kept.
    """
    return _Short.apply(vectors.contiguous(), neighbor, first, cutoff, least)


class _Short(torch.autograd.Function):
    @staticmethod
    def forward(ctx, vectors, neighbor, first, cutoff, least):
        n_center, dtype = len(first) - 1, vectors.dtype
        kept = torch.empty(len(vectors), dtype=torch.int32)
        bounds = torch.empty_like(first)
        call("keep_short", dtype, vectors, first, n_center, cutoff, least, kept, bounds)
        rows, receiver, other = (torch.empty(int(bounds[-1]), dtype=torch.int64)
                                 for _ in range(3))
        short = vectors.new_empty(len(rows), 3)
        call("fill_short", dtype, vectors, neighbor, first, kept, bounds, n_center, rows, short,
             receiver, other)
        ctx.save_for_backward(rows)
        ctx.n_edges = len(vectors)
        ctx.mark_non_differentiable(receiver, other, bounds)
        return short, receiver, other, bounds

    @staticmethod
    @first_derivative
    def backward(ctx, gradient, *_):
        (rows,) = ctx.saved_tensors
        out = gradient.new_empty(ctx.n_edges, 3)
        call("scatter_short", gradient.dtype, gradient.contiguous(), rows, len(rows), ctx.n_edges,
             out)
        return out, None, None, None, None


def forces_and_virials(gradient: Tensor, vectors: Tensor, first: Tensor,
                       incoming: tuple[Tensor, Tensor], system: Tensor | None = None,
                       n_systems: int = 1) -> tuple[Tensor, Tensor]:
    """Forces (n_total, 3) and virials (n_systems, 3, 3), float64, summed in float64.

    ``gradient`` (E, 3) is dE/dvector, ``incoming`` from :func:`sorted_edges` of the neighbours,
    ``system`` (n_total,) int64. The virial is the sum of vector^T gradient, +dE/dstrain.
    """
    n_center, n_total = len(first) - 1, len(incoming[1]) - 1
    parts, forces, virials = (torch.empty(shape, dtype=torch.float64) for shape in
                              ((n_center, 9), (n_total, 3), (n_systems, 3, 3)))
    call("edge_forces", gradient.dtype, gradient.contiguous(), vectors.detach().contiguous(),
         first, *incoming, system, n_center, n_total, n_systems, parts, forces, virials)
    return forces, virials
