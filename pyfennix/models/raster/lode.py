# SPDX-License-Identifier: MIT
"""The long-range part of RASTER: damped multipoles of the neighbours' values (notes §5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyfennix.models.fnx.basis import cosine_ramp, l_of_component, spherical_harmonics
from pyfennix.models.fnx.edges import Edges
from pyfennix.models.fnx.layers import Dense
from pyfennix.models.segments import segment_sum


class Lode(nn.Module):
    """Sums of 1/d^k-like functions over a long graph; no learned quantity per edge.

    The parameters ``a_lr`` and ``lode_values_<t>`` belong to RASTER itself in a checkpoint, so
    they are passed in by it.

    Parameters
    ----------
    channels, lmax
        Channels C (at most the tensor heads) and highest l of the multipoles.
    extra_powers
        Inverse powers of the additional scalar sums.
    cutoff, rshort, dshort
        Long cutoff; the sums are faded in between ``rshort`` and ``rshort + dshort``. In Å.
    """

    def __init__(self, channels: int, lmax: int, extra_powers: list[int], cutoff: float,
                 rshort: float, dshort: float) -> None:
        super().__init__()
        self.channels, self.lmax, self.extra = channels, lmax, len(extra_powers)
        # s_n = (n + 1)/2 with n the extra powers, then l
        self.twice_s = [p + 1 for p in extra_powers] + [degree + 1 for degree in range(lmax + 1)]
        self.cutoff, self.rshort, self.dshort = cutoff, rshort, dshort

    @property
    def n_values(self) -> int:
        """Values per atom and channel."""
        return len(self.twice_s)

    @property
    def n_out(self) -> int:
        """Invariants per atom."""
        return self.channels * self.n_values

    def radial(self, distance: Tensor, a_lr: Tensor) -> list[Tensor]:
        """One (E,) function per value; value and slope vanish at the cutoff.

        a and rc^2 + a are rounded to float32, as FeNNol does also in float64.
        """
        rc, square = self.cutoff, distance * distance
        a = a_lr.reshape(-1).float() ** 2
        at_cutoff = (a + torch.tensor(rc * rc, dtype=torch.float32)).to(distance)
        twice_s = torch.tensor(self.twice_s, dtype=distance.dtype, device=distance.device)
        edge = at_cutoff.pow(-0.5 * twice_s)
        slope = rc * twice_s * edge / at_cutoff
        constant = edge + rc * slope
        ramp = cosine_ramp(distance, self.rshort, self.dshort)
        columns = []
        for n, power in enumerate(self.twice_s):
            value = _power(torch.rsqrt(square + a[n].to(distance)), power)
            columns.append((value - constant[n] + distance * slope[n]) * ramp)
        return columns

    def kernels(self, edges: Edges, a_lr: Tensor) -> Tensor:
        """(K, E): radial functions, those of l times its harmonics; K = extra + (lmax + 1)^2."""
        columns = self.radial(edges.distances, a_lr)
        parts = [torch.stack(columns[: self.extra + 1])]
        harmonics = spherical_harmonics(edges.unit, self.lmax)
        for degree in range(1, self.lmax + 1):
            parts.append(columns[self.extra + degree] * harmonics[degree**2 : (degree + 1) ** 2])
        return torch.cat(parts)

    def forward(self, edges: Edges, values: Dense, a_lr: Tensor, x: Tensor,
                tensor: Tensor) -> Tensor:
        """(n_center, n_out) invariants.

        ``x`` (n_total, dim) features before this layer's update, ``tensor`` (n_center, heads, M)
        after this layer's tensor sum.
        """
        c, extra = self.channels, self.extra
        kernels = self.kernels(edges, a_lr)
        # one value per kernel: that of l serves its 2l + 1 components
        repeat = list(range(extra)) + [extra + degree for degree in l_of_component(self.lmax)]
        pick = torch.tensor(repeat, device=x.device)
        z = values(x).view(-1, c, self.n_values).index_select(2, pick)
        # the one place with rows instead of columns: fewer and narrower transpositions
        rows = kernels.T.contiguous()
        sums = torch.stack([
            segment_sum(rows * z[:, channel].index_select(0, edges.neighbor), edges.order,
                        edges.first, edges.receiver)
            for channel in range(c)
        ], dim=1)
        out = [sums[:, :, :extra].flatten(1), sums[:, :, extra]]
        for degree in range(1, self.lmax + 1):
            own = tensor[:, :c, degree**2 : (degree + 1) ** 2]
            far = sums[:, :, extra + degree**2 : extra + (degree + 1) ** 2]
            out.append((own * far).sum(2) / (2 * degree + 1))
        return torch.cat(out, dim=1)


def _power(x: Tensor, n: int) -> Tensor:
    """x^n for a small whole n by repeated squaring: much cheaper than pow."""
    result = None
    while n:
        if n & 1:
            result = x if result is None else result * x
        n >>= 1
        if n:
            x = x * x
    return result
