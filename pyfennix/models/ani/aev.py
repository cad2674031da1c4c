# SPDX-License-Identifier: MIT
"""Atomic environment vectors of ANI, with torch operations: any kind, any device, differentiable.

Smith, Isayev and Roitberg, Chem. Sci. 8, 3192 (2017), in the form of notes §8. Radial part, by
element of the neighbour and shift: sum_j 1/4 f(d) exp(-eta (d - R)^2). Angular part, by pair of
elements, shift and section: over the pairs of neighbours of an atom
2 ((1 + cos(t - T)) / 2)^zeta exp(-eta ((d_j + d_k)/2 - R)^2) f(d_j) f(d_k), t = arccos(0.95 cos).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from pyfennix.models.fnx.edges import Edges

# Pairs of neighbours evaluated at once: 32 MB of float32 in ANI-1x's widest array.
_BLOCK = 1 << 18

# The settings of a file, with FeNNol's values where it gives none
NUMBERS = {"radial_eta": 16.0, "angular_eta": 8.0, "zeta": 32.0, "radial_start": 0.8,
           "angular_start": 0.8}
SIZES = {"radial_dist_divisions": 16, "angular_dist_divisions": 4, "angle_sections": 4}


@dataclass(frozen=True)
class AevConfig:
    """Sizes and shapes; cutoffs and starts in Å, exponents in 1/Å²."""

    n_species: int
    radial_cutoff: float
    angular_cutoff: float
    radial_eta: float
    angular_eta: float
    zeta: float
    radial_start: float
    angular_start: float
    radial_dist_divisions: int
    angular_dist_divisions: int
    angle_sections: int

    @cached_property
    def radial_shifts(self) -> np.ndarray:
        """Equidistant from the start, the cutoff excluded."""
        return _shifts(self.radial_start, self.radial_cutoff, self.radial_dist_divisions)

    @cached_property
    def angular_shifts(self) -> np.ndarray:
        """Likewise, for the mean distance of two neighbours."""
        return _shifts(self.angular_start, self.angular_cutoff, self.angular_dist_divisions)

    @cached_property
    def angle_shifts(self) -> np.ndarray:
        """The centres of equal sections of [0, pi]."""
        return (np.arange(self.angle_sections) + 0.5) * (np.pi / self.angle_sections)

    @property
    def n_pairs(self) -> int:
        """Unordered pairs of elements."""
        return self.n_species * (self.n_species + 1) // 2

    @property
    def radial_width(self) -> int:
        """Columns of the radial part, which comes first."""
        return self.n_species * self.radial_dist_divisions

    @property
    def width(self) -> int:
        """Columns of the vector."""
        angular = self.angular_dist_divisions * self.angle_sections
        return self.radial_width + self.n_pairs * angular


def _shifts(start: float, cutoff: float, divisions: int) -> np.ndarray:
    return np.linspace(start, cutoff, divisions + 1)[:-1]


def environment_vectors(config: AevConfig, species: Tensor, edges: Edges, close: Edges) -> Tensor:
    """(n_center, width) vectors of all receivers.

    Parameters
    ----------
    species
        (n_total,) int64, each atom's row in the order of elements.
    edges, close
        The pairs within the radial and within the angular cutoff, rows in order of receivers,
        with their switches.
    """
    return torch.cat([_radial(config, species, edges), _angular(config, species, close)], dim=1)


def _radial(config: AevConfig, species: Tensor, edges: Edges) -> Tensor:
    """(n_center, n_species * shifts)."""
    n = len(edges.first) - 1
    offset = edges.distances.unsqueeze(1) - _like(config.radial_shifts, edges.distances)
    rows = torch.exp(-config.radial_eta * offset.square()) * (0.25 * edges.switch).unsqueeze(1)
    owner = edges.receiver * config.n_species + species.index_select(0, edges.neighbor)
    out = rows.new_zeros(n * config.n_species, rows.shape[1])
    return out.index_add(0, owner, rows).view(n, config.radial_width)


def _angular(config: AevConfig, species: Tensor, close: Edges) -> Tensor:
    """(n_center, pairs of elements * shifts * sections), by blocks of receivers."""
    # everything about single edges is made here, once for all blocks
    d, f = close.distances, close.switch
    unit = close.vectors / d.unsqueeze(1)
    neighbor_species = species.index_select(0, close.neighbor)
    blocks = list(_blocks(close.first))
    parts = []
    for start, stop in blocks:
        bounds = close.first[start : stop + 1]
        arguments = (config, unit, d, f, neighbor_species, bounds)
        if len(blocks) > 1 and torch.is_grad_enabled():
            # the wide arrays of one block at a time, computed again for its gradient
            parts.append(checkpoint(_angular_block, *arguments, use_reentrant=False,
                                    preserve_rng_state=False))
        else:
            parts.append(_angular_block(*arguments))
    return torch.cat(parts)


def _blocks(first: Tensor) -> Iterator[tuple[int, int]]:
    """Ranges of receivers that have about ``_BLOCK`` pairs of neighbours together."""
    degree = first.diff()
    total = torch.cumsum(degree * (degree - 1) // 2, 0)
    n, last = len(degree), int(total[-1]) if len(degree) else 0
    marks = torch.arange(_BLOCK, max(last, _BLOCK), _BLOCK, device=first.device)
    bounds = [0, *torch.searchsorted(total, marks).tolist(), n]
    yield from ((a, b) for a, b in pairwise(bounds) if a < b or n == 0)


def _angular_block(config: AevConfig, unit: Tensor, d: Tensor, f: Tensor,
                   neighbor_species: Tensor, first: Tensor) -> Tensor:
    """The rows of some receivers, whose edges are ``first[0]:first[-1]``."""
    j, k, receiver = neighbor_pairs(first)
    cosine = 0.95 * (unit.index_select(0, j) * unit.index_select(0, k)).sum(1)
    sine = (1.0 - cosine.square()).sqrt()
    mean = 0.5 * (d.index_select(0, j) + d.index_select(0, k))
    weight = 2.0 * f.index_select(0, j) * f.index_select(0, k)
    offset = mean.unsqueeze(1) - _like(config.angular_shifts, mean)
    shells = torch.exp(-config.angular_eta * offset.square()) * weight.unsqueeze(1)
    # cos(t - T) without the angle itself
    t = _like(config.angle_shifts, mean)
    waves = cosine.unsqueeze(1) * torch.cos(t) + sine.unsqueeze(1) * torch.sin(t)
    sections = (0.5 + 0.5 * waves).pow(config.zeta)
    rows = (shells.unsqueeze(2) * sections.unsqueeze(1)).flatten(1)
    a, b = neighbor_species.index_select(0, j), neighbor_species.index_select(0, k)
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    pair = low * (2 * config.n_species - low - 1) // 2 + high
    n = len(first) - 1
    out = rows.new_zeros(n * config.n_pairs, rows.shape[1])
    out = out.index_add(0, receiver * config.n_pairs + pair, rows)
    return out.view(n, config.width - config.radial_width)


def neighbor_pairs(first: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """All unordered pairs of the edges of one receiver: two rows of the edge list, and receiver.

    ``first`` (n + 1,) are the bounds of each receiver's rows; receivers count from 0.
    """
    degree = first.diff()
    receiver = torch.arange(len(degree), device=first.device).repeat_interleave(degree)
    edge = first[0] + torch.arange(len(receiver), device=first.device)
    # an edge is paired with every later one of its receiver
    later = first[1:].index_select(0, receiver) - edge - 1
    j = edge.repeat_interleave(later)
    begin = (torch.cumsum(later, 0) - later).repeat_interleave(later)
    k = j + 1 + torch.arange(len(j), device=first.device) - begin
    return j, k, receiver.repeat_interleave(later)


def _like(values: np.ndarray, tensor: Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=tensor.dtype, device=tensor.device)
