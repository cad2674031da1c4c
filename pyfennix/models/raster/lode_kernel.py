# SPDX-License-Identifier: MIT
"""LODE's sums over the long list by compiled kernels, with first derivatives."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from pyfennix.models.fnx.edges import Edges
from pyfennix.models.native.library import call, first_derivative

# Sizes of the fixed arrays in lode_tile.h and lode.c
MAX_CHANNELS, MAX_VALUES, MAX_KERNELS = 64, 12, 32
# Functions of an edge are padded to rows of this many
_ROW = 16


class Settings(NamedTuple):
    """What a call needs besides edges and values; see :class:`Lode`.

    ``powers`` (n_values,) int64 are twice the exponents, ``constants`` (3, n_values) are a, value
    and slope of each radial function at the cutoff in the model's dtype.
    """

    powers: Tensor
    constants: Tensor
    extra: int
    lmax: int
    rshort: float
    dshort: float


def fits(channels: int, extra: int, lmax: int) -> bool:
    """Whether the kernels know these sizes."""
    values, kernels = extra + lmax + 1, extra + (lmax + 1) ** 2
    return (channels <= MAX_CHANNELS and lmax <= 3
            and values <= MAX_VALUES and kernels <= MAX_KERNELS)


def lode_sums(edges: Edges, z: Tensor, settings: Settings) -> Tensor:
    """(n_center, C, K) sums of K = extra + (lmax + 1)^2 functions times the neighbours' values.

    ``z`` (n_total, C, n_values) is contiguous, in the dtype of the edge vectors. The derivatives
    by vectors and values can be taken once, not differentiated again.
    """
    vectors = edges.vectors
    if edges.pair_counts is not None:
        # rows sorted by pair of elements: back into the receivers' order
        vectors, receiver, neighbor = (
            part.index_select(0, edges.order)
            for part in (vectors, edges.receiver, edges.neighbor)
        )
        edges = Edges(vectors, receiver, neighbor, edges.order, edges.first)
    return _Sums.apply(vectors, z, edges, settings)


class _Sums(torch.autograd.Function):
    @staticmethod
    def forward(ctx, vectors, z, edges, settings):
        vectors, z = vectors.contiguous(), z.contiguous()
        n_total, channels = z.shape[:2]
        extra, lmax = settings.extra, settings.lmax
        kernels = extra + (lmax + 1) ** 2
        wide = z.new_empty(n_total, channels, -(-kernels // _ROW) * _ROW)
        sums = z.new_empty(len(edges.first) - 1, channels, kernels)
        call("lode_forward", z.dtype, vectors, edges.neighbor, edges.first, z, settings.powers,
             settings.constants, len(sums), n_total, channels, extra, lmax, settings.rshort,
             settings.dshort, wide, sums)
        ctx.edges, ctx.settings = edges, settings
        ctx.save_for_backward(vectors, wide)
        return sums

    @staticmethod
    @first_derivative
    def backward(ctx, gradient):
        (vectors, wide), edges, s = ctx.saved_tensors, ctx.edges, ctx.settings
        n_total, channels, width = wide.shape
        gradient = gradient.contiguous()
        g_wide = wide.new_empty(len(gradient), channels, width)
        g_vectors = torch.empty_like(vectors)
        shape = channels, s.extra, s.lmax, s.rshort, s.dshort
        call("lode_vectors", wide.dtype, vectors, edges.neighbor, edges.first, wide, s.powers,
             s.constants, len(gradient), *shape, gradient, g_wide, g_vectors)
        if not ctx.needs_input_grad[1]:
            return g_vectors, None, None, None
        g_z = wide.new_empty(n_total, channels, s.extra + s.lmax + 1)
        call("lode_values", wide.dtype, vectors, edges.receiver, *edges.incoming(n_total), g_wide,
             s.powers, s.constants, n_total, *shape, g_z)
        return g_vectors, g_z, None, None
