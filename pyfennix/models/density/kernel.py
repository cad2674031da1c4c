# SPDX-License-Identifier: MIT
"""Energies of a density model by one compiled kernel, with first derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pyfennix.exceptions import FennixError
from pyfennix.models.density.sums import DensityEdges
from pyfennix.models.native.library import call, first_derivative, scaled

if TYPE_CHECKING:
    from pyfennix.models.density.module import DensityModule

DEGREES = 4


def pack(module: DensityModule) -> Tensor:
    """(elements, size) all weights of each element in the order of the kernel.

    Scale and shift of the invariants become part of the first layer.
    """
    rows = []
    for place, net in enumerate(module.networks):
        parts = [mixing[place] for mixing in module.mixing]
        for layer, (kernel, bias) in enumerate(net.layers()):
            if layer == 0:
                kernel = kernel * module.scale[place].unsqueeze(1)
                bias = bias - module.shift[place] @ kernel
            parts += [kernel, bias]
        rows.append(torch.cat([part.detach().flatten() for part in parts]))
    return torch.stack(rows)


def read_shape(channels: Sequence[int], widths: Sequence[int]) -> Tensor:
    """(n,) int64 sizes of a model as the kernel reads them."""
    padded = [*channels, *[0] * (DEGREES - len(channels))]
    return torch.tensor([len(channels), *padded, len(widths) - 1, *widths])


def density_energies(edges: DensityEdges, order: Tensor, counts: Tensor, weights: Tensor,
                     shape: Tensor) -> Tensor:
    """(n_center,) energies.

    Parameters
    ----------
    order, counts
        (n_center,) the centers element by element, (elements,) how many of each.
    weights, shape
        Of :func:`pack` and :func:`read_shape`.

    Raises
    ------
    FennixError
        When memory is wanting.
    """
    return _Energies.apply(edges.vectors, edges, order, counts, shape, weights)


class _Energies(torch.autograd.Function):
    """The gradient comes with the energies; only its factor per receiver is left for later."""

    @staticmethod
    def forward(ctx, vectors, edges, order, counts, shape, weights):
        vectors = vectors.contiguous()
        n = len(edges.first) - 1
        energies = vectors.new_zeros(n)
        gradient = torch.empty_like(vectors) if ctx.needs_input_grad[0] else None
        failed = torch.zeros(1, dtype=torch.int64)
        call("density_energy", vectors.dtype, vectors, edges.neighbor, edges.first, edges.species,
             order, counts, *edges.settings, shape, weights, weights.shape[1], energies, gradient,
             failed)
        if int(failed):
            raise FennixError("no memory for the kernel of a density model")
        if gradient is not None:
            ctx.save_for_backward(gradient, edges.first)
        return energies

    @staticmethod
    @first_derivative
    def backward(ctx, factor):
        gradient, first = ctx.saved_tensors
        return scaled(gradient, factor, first), None, None, None, None, None
