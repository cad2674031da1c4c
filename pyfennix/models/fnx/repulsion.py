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

    def coefficients(self, numbers: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Amplitudes (n, n, K) and decay rates in 1/Å (n, n, K) for these elements."""
        raise NotImplementedError

    def table(self, numbers: list[int], like: Tensor) -> dict[str, Tensor]:
        """The pair table of a composition, computed once: prefactors and rates, (n * n, K)."""
        amplitude, rate = self.coefficients(numbers)
        z = np.array(numbers, dtype=np.float64)
        scale = 0.5 * COULOMB * np.outer(z, z)[:, :, None] * amplitude
        n, terms = len(numbers) ** 2, amplitude.shape[-1]
        return {
            "scale": torch.as_tensor(scale.reshape(n, terms)).to(like),
            "rate": torch.as_tensor(rate.reshape(n, terms)).to(like),
        }

    def forward(self, table: dict[str, Tensor], edges: Edges) -> Tensor:
        """(n_center,) energies in eV."""
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

    def coefficients(self, numbers: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """The universal function, the same for all pairs but for its length."""
        power = np.array(numbers, dtype=np.float64) ** 0.23
        inverse_length = (power[:, None] + power[None, :]) / _ZBL_LENGTH
        rate = inverse_length[:, :, None] * np.array(_ZBL_B)
        return np.broadcast_to(np.array(_ZBL_A), rate.shape), rate

    def table(self, numbers: list[int], like: Tensor) -> dict[str, Tensor]:
        """As the base class, and the ranges."""
        table = super().table(numbers, like)
        if self.ranges:
            reach = [self.ranges.get(frozenset((a, b)), math.inf) for a in numbers for b in numbers]
            table["reach"] = torch.tensor(reach).to(like)
        return table

    def forward(self, table: dict[str, Tensor], edges: Edges) -> Tensor:
        """(n_center,) energies in eV."""
        if not self.ranges:
            return super().forward(table, edges)
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
        Atomic numbers of the table's rows.
    amplitude, rate
        (n, n, 3) a_k and b_k (1/Å).
    """

    def __init__(self, elements: list[int], amplitude: np.ndarray, rate: np.ndarray) -> None:
        super().__init__()
        self.elements = list(elements)
        self.register_buffer("nlh_a", torch.as_tensor(np.array(amplitude)))
        self.register_buffer("nlh_b", torch.as_tensor(np.array(rate)))

    def coefficients(self, numbers: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """From the stored table; ModelError for an element that is not in it."""
        missing = sorted(set(numbers) - set(self.elements))
        if missing:
            raise ModelError(f"repulsion_nlh has no coefficients for atomic numbers {missing}")
        rows = [self.elements.index(z) for z in numbers]
        pick = np.ix_(rows, rows)
        a, b = self.nlh_a.double().cpu().numpy(), self.nlh_b.double().cpu().numpy()
        return a[pick], b[pick]
