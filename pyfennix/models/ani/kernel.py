# SPDX-License-Identifier: MIT
"""Atomic environment vectors of ANI from the compiled kernel: the function of aev.py on a CPU."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from pyfennix.models.ani.aev import AevConfig
from pyfennix.models.graph import Graph
from pyfennix.models.native.library import call, first_derivative

# The only switch that the kernel knows, with its exponent
SWITCH = ("cosine", 1.0)


def environment_vectors(config: AevConfig, species: Tensor, graph: Graph) -> Tensor:
    """(n_center, width) vectors of all receivers; pairs beyond the cutoffs add nothing.

    ``species`` (n_total,) int64 is each atom's row in the order of elements. Differentiable once
    with respect to ``graph.vectors``; a second derivative raises ModelError.
    """
    return _Vectors.apply(graph.vectors, graph.first, graph.neighbor, species, config)


class _Vectors(torch.autograd.Function):
    @staticmethod
    def forward(ctx, vectors, first, neighbor, species, config):
        vectors = vectors.contiguous()
        ctx.save_for_backward(vectors, first, neighbor, species)
        ctx.config = config
        out = vectors.new_empty(len(first) - 1, config.width)
        _call(config, vectors, first, neighbor, species, out, None, None)
        return out

    @staticmethod
    @first_derivative
    def backward(ctx, grad):
        vectors, first, neighbor, species = ctx.saved_tensors
        gradient = torch.empty_like(vectors)
        _call(ctx.config, vectors, first, neighbor, species, None, grad.contiguous(), gradient)
        return gradient, None, None, None, None


def _call(config: AevConfig, vectors: Tensor, first: Tensor, neighbor: Tensor, species: Tensor,
          out: Tensor | None, grad: Tensor | None, gradient: Tensor | None) -> None:
    settings, tables = _tables(config, vectors.dtype)
    call("ani_vectors", vectors.dtype, vectors, first, neighbor, species, settings, tables,
         len(first) - 1, config.n_species, config.radial_dist_divisions,
         config.angular_dist_divisions, config.angle_sections, out, grad, gradient)


@cache
def _tables(config: AevConfig, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """What the kernel reads of a configuration, in its order."""
    settings = [config.radial_cutoff, config.angular_cutoff, config.radial_eta,
                config.angular_eta, config.zeta]
    tables = [config.radial_shifts, config.angular_shifts, np.cos(config.angle_shifts),
              np.sin(config.angle_shifts)]
    return (torch.tensor(settings, dtype=torch.float64),
            torch.as_tensor(np.concatenate(tables)).to(dtype))
