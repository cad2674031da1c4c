# SPDX-License-Identifier: MIT
"""Short-range repulsion between screened nuclei: ZBL (any element) and NLH (from a table)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.basis import polynomial_switch
from pyfennix.models.fnx.edges import Edges
from pyfennix.models.fnx.repulsion_kernel import fits, repulsion
from pyfennix.units import BOHR_IN_ANGSTROM, HARTREE_IN_EV

# e^2 / (4 pi eps0) in eV Å
COULOMB = BOHR_IN_ANGSTROM * HARTREE_IN_EV

# Universal screening function of Ziegler, Biersack and Littmark, The Stopping and Range of Ions
# in Solids (Pergamon, 1985): phi(x) = sum a_k exp(-b_k x), x = d / (0.46850 Å / (Zi^.23 + Zj^.23)).
_ZBL_A = (0.18175, 0.50986, 0.28022, 0.02817)
_ZBL_B = (3.19980, 0.94229, 0.40290, 0.20162)
_ZBL_LENGTH = 0.46850


class ScreenedRepulsion(nn.Module):
    """Half of sum_j Zi Zj / d * phi_ij(d) * switch(d) per atom; eV and Å (notes §7)."""

    def coefficients(self, first: list[int], second: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Amplitudes (P, K) and decay rates in 1/Å (P, K) of P pairs of atomic numbers."""
        raise NotImplementedError

    def table(self, numbers: list[int], pairs: Sequence[list[int]],
              like: Tensor) -> dict[str, Tensor]:
        """Prefactors and rates (P, K) of pairs of kinds, computed once per composition.

        ``numbers`` are the atomic numbers of the kinds, ``pairs`` the first and the second kind
        of each pair.
        """
        first, second = ([numbers[kind] for kind in kinds] for kinds in pairs)
        amplitude, rate = self.coefficients(first, second)
        charges = np.array(first, dtype=np.float64) * np.array(second, dtype=np.float64)
        return {
            "scale": torch.as_tensor(0.5 * COULOMB * charges[:, None] * amplitude).to(like),
            "rate": torch.as_tensor(np.array(rate)).to(like),
        }

    def forward(self, table: dict[str, Tensor], edges: Edges) -> Tensor:
        """(n_center,) energies in eV."""
        if edges.native and fits(table, edges):
            return repulsion(table, edges)
        energy = _screened(table, edges.pair, edges.distances) * edges.switch
        return edges.sum(energy.unsqueeze(0)).squeeze(1)


def _screened(table: dict[str, Tensor], pair: Tensor, distance: Tensor) -> Tensor:
    """(E,) half of Zi Zj / d * phi(d) in eV."""
    scale, rate = table["scale"].index_select(0, pair), table["rate"].index_select(0, pair)
    return (scale * torch.exp(-rate * distance.unsqueeze(1))).sum(1) / distance


class RepulsionZBL(ScreenedRepulsion):
    """Universal screening (module ``pyfennix_zbl``), nothing to store or train.

    Parameters
    ----------
    ranges
        [[Z1, Z2, Å], ...]: beyond this distance a pair of elements does not repel. Chosen just
        below the distances met in dynamics, the repulsion is a wall behind the network rather
        than a large number for it to cancel. Pairs not named keep the graph's own switch.
    p
        Exponent of the polynomial switch that ends a range.
    """

    def __init__(self, ranges: Sequence = (), p: float = 6.0) -> None:
        super().__init__()
        self.ranges = {frozenset((int(a), int(b))): float(d) for a, b, d in ranges}
        self.p = p

    def coefficients(self, first: list[int], second: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """The universal function, the same for all pairs but for its length."""
        power = [np.array(numbers, dtype=np.float64) ** 0.23 for numbers in (first, second)]
        rate = ((power[0] + power[1]) / _ZBL_LENGTH)[:, None] * np.array(_ZBL_B)
        return np.broadcast_to(np.array(_ZBL_A), rate.shape), rate

    def table(self, numbers: list[int], pairs: Sequence[list[int]],
              like: Tensor) -> dict[str, Tensor]:
        """As the base class, and the ranges."""
        table = super().table(numbers, pairs, like)
        if self.ranges:
            reach = [self.ranges.get(frozenset((numbers[a], numbers[b])), math.inf)
                     for a, b in zip(*pairs, strict=True)]
            table["reach"] = torch.tensor(reach).to(like)
        return table

    def forward(self, table: dict[str, Tensor], edges: Edges) -> Tensor:
        """(n_center,) energies in eV."""
        if not self.ranges:
            return super().forward(table, edges)
        if edges.native and fits(table, edges):
            return repulsion(table, edges, self.p)
        ratio = edges.distances.detach() / table["reach"].index_select(0, edges.pair)
        # with walls below the usual distances hardly an edge is left to evaluate
        close = (ratio < 1.0).nonzero().squeeze(1)
        pair = edges.pair.index_select(0, close)
        distance = edges.distances.index_select(0, close)
        ratio = distance / table["reach"].index_select(0, pair)
        end = polynomial_switch(ratio, self.p)
        energy = _screened(table, pair, distance) * edges.switch.index_select(0, close) * end
        receiver = edges.receiver.index_select(0, close)
        return energy.new_zeros(len(edges.first) - 1).index_add(0, receiver, energy)


class RepulsionNLH(ScreenedRepulsion):
    """Nordlund-Lehtola-Hobler screening (module ``repulsion_nlh``), a table per pair of elements.

    Parameters
    ----------
    elements
        Atomic numbers of the table's rows, of which it knows all pairs.
    amplitude, rate
        (n, n, 3) a_k and b_k (1/Å).
    """

    def __init__(self, elements: list[int], amplitude: np.ndarray, rate: np.ndarray) -> None:
        super().__init__()
        self.pairs_of = list(elements)
        self.amplitude, self.rate = (np.array(x, dtype=np.float64) for x in (amplitude, rate))
        for part in (self.amplitude, self.rate):
            if part.shape != (len(elements), len(elements), 3) or not np.isfinite(part).all():
                raise ModelError(
                    "a table of repulsion_nlh is not finite of shape (elements, elements, 3)"
                )

    def coefficients(self, first: list[int], second: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """From the stored table; ModelError for an element that is not in it."""
        missing = sorted({*first, *second} - set(self.pairs_of))
        if missing:
            raise ModelError(f"repulsion_nlh has no coefficients for atomic numbers {missing}")
        rows, columns = ([self.pairs_of.index(z) for z in numbers] for numbers in (first, second))
        return self.amplitude[rows, columns], self.rate[rows, columns]
