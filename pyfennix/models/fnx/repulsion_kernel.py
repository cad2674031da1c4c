# SPDX-License-Identifier: MIT
"""Screened repulsion by compiled kernels, with first derivatives."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from pyfennix.models.fnx.edges import LEAST_SQUARE, Edges, switch_numbers
from pyfennix.models.native.library import call, first_derivative, scaled


def fits(table: dict[str, Tensor], edges: Edges) -> bool:
    """Whether the kernel knows this case: rows in the receivers' order, no growing exponential."""
    return edges.pair_counts is None and bool((table["rate"] >= 0.0).all())


def repulsion(table: dict[str, Tensor], edges: Edges, p: float = 6.0) -> Tensor:
    """(n_center,) energies in eV; see :class:`pyfennix.models.fnx.repulsion.ScreenedRepulsion`.

    Where the table has a ``reach`` per pair, a polynomial switch with exponent ``p`` ends it.
    """
    return _Repulsion.apply(edges.vectors, table, edges, p)


@lru_cache(maxsize=64)
def _made_switch(cutoff: float, kind: str, power: Tensor | float, exact: bool) -> Tensor:
    """(9,) a switch as the kernel reads it; the same few are asked for at every evaluation."""
    return torch.tensor([cutoff, *switch_numbers(kind, power, exact)], dtype=torch.float64)


class _Repulsion(torch.autograd.Function):
    """The gradient comes with the energies; only its factor per receiver is left for later."""

    @staticmethod
    def forward(ctx, vectors, table, edges, p):
        vectors, dtype = vectors.contiguous(), vectors.dtype
        cutoff, kind, power, exact = edges.switch_settings
        make = _made_switch.__wrapped__ if isinstance(power, Tensor) else _made_switch
        own, end = make(cutoff, kind, power, exact), _made_switch(cutoff, "polynomial", p, False)
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
        return scaled(gradient, factor, first), None, None, None
