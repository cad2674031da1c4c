"""A fast model with a known fault: the accurate one and a bump in each pair of hydrogens."""

from __future__ import annotations

import torch
from faulty_ranks import Raises
from pairs import Accurate as Pairs

# kcal/mol, Å, Å; at the short end of the bond, where a hydrogen comes now and then
HEIGHT, PLACE, SPREAD = 2.0, 0.66, 0.05


class Accurate(Pairs):
    """Morse and Lennard-Jones."""


class Fast(Pairs):
    """The same and HEIGHT exp(-((d - PLACE)/SPREAD)²) for each pair of hydrogens."""

    def forward(self, graph):
        """Half of each bump goes to either end."""
        d = graph.distances
        both = (graph.numbers[graph.receiver] == 1) & (graph.numbers[graph.neighbor] == 1)
        bump = 0.5 * HEIGHT * torch.exp(-(((d - PLACE) / SPREAD) ** 2))
        bumps = graph.sum_neighbors(torch.where(both, bump, 0.0 * d))
        return super().forward(graph) + bumps


class Failing(Raises):
    """As Accurate, until an evaluation fails on rank 1."""
