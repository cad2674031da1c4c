# SPDX-License-Identifier: MIT
"""Radial functions, harmonics and switches of RASTER's short edges."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pyfennix.models.fnx.basis import bessel_basis, cosine_ramp, spherical_harmonics
from pyfennix.models.fnx.edges import Edges
from pyfennix.models.raster.config import RasterConfig


@dataclass(eq=False)
class Geometry:
    """Edge quantities that all layers share, as columns: (width, E)."""

    edges: Edges
    radial: Tensor
    harmonics: Tensor
    attention_switch: Tensor


def degree_widths(lmax: int) -> list[int]:
    """Components of each degree."""
    return [2 * degree + 1 for degree in range(lmax + 1)]


def edge_geometry(edges: Edges, radius_sum: Tensor, c: RasterConfig) -> Geometry:
    """What all layers read, from edges sorted by pair; ``radius_sum`` (P,) in Å of each pair."""
    d = edges.distances
    radius = radius_sum.index_select(0, edges.pair)
    width = (c.switch_cov_end - c.switch_cov_start) * radius
    covalent = cosine_ramp(d, c.switch_cov_start * radius, width)
    radial = bessel_basis(d, c.cutoff, c.radial_dim) * covalent
    harmonics = spherical_harmonics(edges.unit, c.lmax)
    return Geometry(edges, radial, harmonics, edges.switch * covalent)


def weighted_harmonics(weights: Tensor, harmonics: Tensor) -> Tensor:
    """(heads, L, E) weights per l times (M, E) or (heads, M, E) -> (heads, M, E)."""
    # unbind and split, not indexing: their gradient is one operation for all parts
    parts = harmonics.split(degree_widths(weights.shape[1] - 1), dim=-2)
    pairs = zip(weights.unbind(1), parts, strict=True)
    return torch.cat([weight.unsqueeze(1) * part for weight, part in pairs], dim=1)
