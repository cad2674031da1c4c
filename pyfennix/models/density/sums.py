# SPDX-License-Identifier: MIT
"""The atomic density of radial functions times harmonics, and how it changes with edge vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pyfennix.models.fnx.basis import spherical_harmonics
from pyfennix.models.fnx.edges import LEAST_SQUARE, safe_distances
from pyfennix.models.native.library import call
from pyfennix.models.segments import segment_sum

# harmonics of degrees 0 to 3; models that use fewer degrees leave the rest unread
COMPONENTS = 16


@dataclass(eq=False)
class DensityEdges:
    """The edges of one evaluation, in the receivers' order.

    Attributes
    ----------
    vectors
        (E, 3) in Å.
    receiver, neighbor, first
        As of a graph.
    species
        (n_total,) int64, place of each atom's element in the model's list.
    n_species, cutoff, power, radial
        Elements, Å, exponent of the switch, number of radial functions.
    """

    vectors: Tensor
    receiver: Tensor
    neighbor: Tensor
    first: Tensor
    species: Tensor
    n_species: int
    cutoff: float
    power: int
    radial: int

    @property
    def settings(self) -> tuple[float, float, int, int, int]:
        """As the kernels take them."""
        return self.cutoff, LEAST_SQUARE, self.power, self.radial, self.n_species

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the density: centers, species times radial functions, components."""
        return len(self.first) - 1, self.n_species * self.radial, COMPONENTS


def radial_functions(distance: Tensor, cutoff: float, number: int, power: int) -> Tensor:
    """(number, E): sqrt(2/rc) sin(k pi d/rc)/d s(d/rc), k = 1.., d in Å.

    Radial Bessel functions and polynomial switch of Gasteiger et al., ICLR 2020
    (arXiv:2003.03123, equations 7 and 8).
    """
    k = torch.arange(1, number + 1, dtype=distance.dtype, device=distance.device)
    u = (distance / cutoff).clamp(max=1.0)
    left = 1.0 - u
    switch = 1.0 - u**power * (1.0 + power * left * (1.0 + 0.5 * (power + 1) * left))
    waves = torch.sin((k * (math.pi / cutoff)).unsqueeze(1) * distance)
    return waves * (math.sqrt(2.0 / cutoff) / distance * switch)


def density(edges: DensityEdges) -> Tensor:
    """(n_center, species · radial, 16) sums over neighbours, by torch operations of any order."""
    distance = safe_distances(edges.vectors)
    radial = radial_functions(distance, edges.cutoff, edges.radial, edges.power)
    harmonics = spherical_harmonics(edges.vectors.T.contiguous() / distance, 3)
    products = (radial.unsqueeze(1) * harmonics.unsqueeze(0)).flatten(0, 1).T
    # one row per receiver and element of the neighbour
    row = edges.receiver * edges.n_species + edges.species.index_select(0, edges.neighbor)
    order = torch.argsort(row, stable=True)
    n, _, components = edges.shape
    counts = torch.bincount(row, minlength=n * edges.n_species)
    bounds = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    sums = segment_sum(products.contiguous(), order, bounds, row)
    # (receiver, species, radial, component): the products are ordered radial, component
    return sums.view(n, edges.n_species * edges.radial, components)


def trained_density(edges: DensityEdges) -> Tensor:
    """The same by compiled kernels, for training on forces.

    The gradient by ``vectors`` may be differentiated by whatever it was multiplied with, as the
    gradient of a loss of forces is by parameters; not by the vectors again.
    """
    return _Density.apply(edges.vectors, edges)


class _Density(torch.autograd.Function):
    @staticmethod
    def forward(ctx, vectors, edges):
        ctx.vectors, ctx.edges = vectors.detach().contiguous(), edges
        return _sums(ctx.vectors, None, edges)

    @staticmethod
    def backward(ctx, factor):
        return _Pull.apply(factor, ctx.vectors, ctx.edges), None


class _Pull(torch.autograd.Function):
    """Linear in the factor, so that its derivative is its transpose: the density's change."""

    @staticmethod
    def forward(ctx, factor, vectors, edges):
        ctx.vectors, ctx.edges = vectors, edges
        out = torch.empty_like(vectors)
        call("density_pull", out.dtype, vectors, factor.contiguous(), edges.neighbor, edges.first,
             edges.species, len(edges.first) - 1, *edges.settings, out)
        return out

    @staticmethod
    def backward(ctx, motion):
        return _sums(ctx.vectors, motion.contiguous(), ctx.edges), None, None


def _sums(vectors: Tensor, motion: Tensor | None, edges: DensityEdges) -> Tensor:
    out = vectors.new_empty(edges.shape)
    call("density_sums", out.dtype, vectors, motion, edges.neighbor, edges.first, edges.species,
         len(out), *edges.settings, out)
    return out
