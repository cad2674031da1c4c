"""Analytic pair potentials for tests: Morse between hydrogens, Lennard-Jones otherwise.

A barrier at 1.7 Å keeps the hydrogens in pairs.

``Accurate`` and ``Fast`` share the stiff part (Morse) and differ in the reach of Lennard-Jones,
so that two levels have something to split. Everything is switched off smoothly (C2), and the
same expressions stand in regression/make_references.py, in another program's language.
"""

from __future__ import annotations

import torch

from pyfennix.models.interface import Model

DEPTH, WIDTH, LENGTH = 60.0, 1.9, 0.75
BARRIER, PLACE, SPREAD = 40.0, 1.7, 0.35
SIGMA = {1: 2.2, 8: 3.0}
EPSILON = {1: 0.03, 8: 0.20}


def switch(d, begin, end):
    """1 below begin, 0 above end, twice differentiable between."""
    x = ((d - begin) / (end - begin)).clamp(0.0, 1.0)
    return 1.0 - x**3 * (10.0 - 15.0 * x + 6.0 * x**2)


def morse(d):
    """Energy of a pair of hydrogens, kcal/mol."""
    bond = DEPTH * ((1.0 - torch.exp(-WIDTH * (d - LENGTH))) ** 2 - 1.0)
    barrier = BARRIER * torch.exp(-(((d - PLACE) / SPREAD) ** 2))
    return (bond + barrier) * switch(d, 1.8, 2.5)


def lennard_jones(d, sigma, epsilon, begin, end):
    """Energy of any other pair, kcal/mol."""
    x = (sigma / d) ** 6
    return 4.0 * epsilon * (x * x - x) * switch(d, begin, end)


class Accurate(Model):
    """Morse and Lennard-Jones to 5.5 Å."""

    cutoff = 5.5
    begin = 4.5
    elements = (1, 8)

    def forward(self, graph):
        """Half of each pair's energy goes to its receiver."""
        d = graph.distances
        one = graph.numbers[graph.receiver] == 1
        two = graph.numbers[graph.neighbor] == 1
        sigma = 0.5 * (_of(SIGMA, one, d) + _of(SIGMA, two, d))
        epsilon = torch.sqrt(_of(EPSILON, one, d) * _of(EPSILON, two, d))
        other = lennard_jones(d, sigma, epsilon, self.begin, self.cutoff)
        return graph.sum_neighbors(0.5 * torch.where(one & two, morse(d), other))


class Fast(Accurate):
    """The same with Lennard-Jones to 3.5 Å only."""

    cutoff = 3.5
    begin = 3.0


def _of(table, hydrogen, like):
    return torch.where(hydrogen, like.new_tensor(table[1]), like.new_tensor(table[8]))
