# SPDX-License-Identifier: MIT
"""Screened repulsion by compiled kernels, with first derivatives."""

from __future__ import annotations

import torch
from torch import Tensor

from pyfennix.models.fnx.edges import LEAST_SQUARE, Edges, switch_numbers
from pyfennix.models.native.library import call, first_derivative


def fits(table: dict[str, Tensor], edges: Edges) -> bool:
    """Whether the kernel knows this case: rows in the receivers' order, no growing exponential."""
    return edges.pair_counts is None and bool((table["rate"] >= 0.0).all())


def repulsion(table: dict[str, Tensor], edges: Edges, p: float = 6.0) -> Tensor:
    """(n_center,) energies in eV; see :class:`pyfennix.models.fnx.repulsion.ScreenedRepulsion`.

    Where the table has a ``reach`` per pair, a polynomial switch with exponent ``p`` ends it.
    """
    return _Repulsion.apply(edges.vectors, table, edges, p)


class _Repulsion(torch.autograd.Function):
    """The gradient comes with the energies; only its factor per receiver is left for later."""

    @staticmethod
    def forward(ctx, vectors, table, edges, p):
        vectors, dtype = vectors.contiguous(), vectors.dtype
        cutoff, kind, power, exact = edges.switch_settings
        own = switch_numbers(kind, power, exact)
        own, end = (torch.tensor([cutoff, *numbers], dtype=torch.float64)
                    for numbers in (own, switch_numbers("polynomial", p, False)))
        row, column, _ = edges.pair_rows
        energies = vectors.new_empty(len(edges.first) - 1)
        gradient, scratch = torch.empty_like(vectors), vectors.new_empty(len(vectors))
        call("repulsion", dtype, vectors, edges.receiver, edges.neighbor, edges.first, row, column,
             table["scale"].contiguous(), table["rate"].contiguous(), table.get("reach"), own, end,
             len(energies), table["rate"].shape[1], LEAST_SQUARE, scratch, gradient, energies)
        ctx.save_for_backward(gradient, edges.first)
        return energies

    @staticmethod
    @first_derivative
    def backward(ctx, factor):
        gradient, first = ctx.saved_tensors
        out = torch.empty_like(gradient)
        call("scale_edges", out.dtype, gradient, factor.contiguous(), first, len(factor), out)
        return out, None, None, None
