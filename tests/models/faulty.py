"""Models that break the contract, each in one way."""

from __future__ import annotations

import torch

from pyfennix.models.interface import Model


class Raises(Model):
    """Raises an exception of its own."""

    cutoff = 3.0

    def forward(self, graph):
        """Never returns."""
        raise ValueError("no parameters for this pair")


class NotFinite(Model):
    """Returns NaN."""

    cutoff = 3.0

    def forward(self, graph):
        """One energy per atom, none of them a number."""
        return graph.sum_neighbors(graph.distances * float("nan"))


class WrongShape(Model):
    """Returns one energy too many."""

    cutoff = 3.0

    def forward(self, graph):
        """n_center + 1 energies."""
        return torch.zeros(graph.n_center + 1, dtype=graph.distances.dtype)


class HydrogenOnly(Model):
    """Knows hydrogen only."""

    cutoff = 3.0
    elements = (1,)

    def forward(self, graph):
        """Zero."""
        return graph.sum_neighbors(graph.distances * 0.0)
