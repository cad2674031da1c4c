# SPDX-License-Identifier: MIT
"""Networks per block of elements and residual sums, for inference with compiled kernels.

The same as :class:`BlockNet` and ``normalize``, with one node of the gradient's graph for all
layers and blocks instead of a handful for each. Atoms lie block by block.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pyfennix.models.native.library import call, first_derivative

# One network: matrix and bias of each layer; the first matrix is split like the inputs
Layers = list[tuple[Tensor, Tensor | None]]


def networks(parts: Sequence[Tensor], first: list[list[Tensor]], nets: list[Layers],
             counts: list[int]) -> Tensor:
    """(n, out) results of a network per block, swish between its layers.

    Parameters
    ----------
    parts
        (n, width) inputs; their products with their matrices are added.
    first
        Of each block, the first layer's matrices for these parts.
    nets
        Of each block, the layers; the first one's matrix is not read.
    counts
        Rows of each block.
    """
    return _Networks.apply(first, nets, counts, *parts)


class _Networks(torch.autograd.Function):
    @staticmethod
    def forward(ctx, first, nets, counts, *parts):
        n, depth = len(parts[0]), len(nets[0])
        keep, slopes = any(ctx.needs_input_grad), []
        sources = parts
        for k in range(depth):
            out = parts[0].new_empty(n, nets[0][k][0].shape[1])
            split = [source.split(counts) for source in sources]
            for i, rows in enumerate(out.split(counts)):
                matrices = first[i] if k == 0 else [nets[i][k][0]]
                _product(rows, [source[i] for source in split], matrices, nets[i][k][1])
            if k < depth - 1:
                slopes.append(torch.empty_like(out) if keep else None)
                call("swish", out.dtype, out, slopes[-1], out.numel())
            sources = [out]
        ctx.first, ctx.nets, ctx.counts, ctx.slopes = first, nets, counts, slopes
        ctx.widths = [part.shape[1] for part in parts]
        return out

    @staticmethod
    @first_derivative
    def backward(ctx, g):
        g = g.contiguous()
        for k in range(len(ctx.nets[0]) - 1, 0, -1):
            slope = ctx.slopes[k - 1]
            hidden = torch.empty_like(slope)
            for rows, source, net in zip(hidden.split(ctx.counts), g.split(ctx.counts), ctx.nets,
                                         strict=True):
                torch.mm(source, net[k][0].T, out=rows)
            g = hidden.mul_(slope)
        results = []
        for p, width in enumerate(ctx.widths):
            part = g.new_empty(len(g), width)
            for rows, source, matrices in zip(part.split(ctx.counts), g.split(ctx.counts),
                                              ctx.first, strict=True):
                torch.mm(source, matrices[p].T, out=rows)
            results.append(part)
        return None, None, None, *results


def _product(out: Tensor, parts: list[Tensor], matrices: list[Tensor], bias: Tensor | None):
    """The sum of parts times matrices and the bias, into ``out``."""
    if bias is None:
        torch.mm(parts[0], matrices[0], out=out)
    else:
        torch.addmm(bias, parts[0], matrices[0], out=out)
    for part, matrix in zip(parts[1:], matrices[1:], strict=True):
        out.addmm_(part, matrix)


class Permutation(torch.autograd.Function):
    """``x[order]`` where ``back`` is the inverse permutation, as index_select cannot know."""

    @staticmethod
    def forward(ctx, x, order, back):
        """(n, width) rows in another order."""
        ctx.save_for_backward(back)
        return x.index_select(0, order)

    @staticmethod
    @first_derivative
    def backward(ctx, g):
        """The same the other way."""
        return g.index_select(0, ctx.saved_tensors[0]), None, None


def residual_norm(x: Tensor, update: Tensor, place: Tensor) -> Tensor:
    """``normalize`` of ``x`` (n, width) plus the first columns of the rows ``place`` of update."""
    return _ResidualNorm.apply(x, update, place)


class _ResidualNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, update, place):
        x, update = x.contiguous(), update.contiguous()
        out, inverse = torch.empty_like(x), x.new_empty(len(x))
        ctx.shape = (*x.shape, update.shape[1])
        call("residual_norm", x.dtype, x, update, place, *ctx.shape, out, inverse)
        ctx.save_for_backward(out, inverse, place)
        return out

    @staticmethod
    @first_derivative
    def backward(ctx, g):
        out, inverse, place = ctx.saved_tensors
        n, width, stride = ctx.shape
        g_x = torch.empty_like(out)
        g_update = (out.new_empty if stride == width else out.new_zeros)(n, stride)
        call("residual_norm_gradient", out.dtype, g.contiguous(), out, inverse, place, *ctx.shape,
             g_x, g_update)
        return g_x, g_update, None
