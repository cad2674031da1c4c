# SPDX-License-Identifier: MIT
"""The long-range part of RASTER: damped multipoles of the neighbours' values (notes §5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyfennix.models.fnx.basis import cosine_ramp, l_of_component, spherical_harmonics
from pyfennix.models.fnx.edges import Edges
from pyfennix.models.fnx.layers import Dense
from pyfennix.models.raster.lode_kernel import Settings, fits, lode_sums
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
        self._known: tuple | None = None

    @property
    def n_values(self) -> int:
        """Values per atom and channel."""
        return len(self.twice_s)

    @property
    def n_out(self) -> int:
        """Invariants per atom."""
        return self.channels * self.n_values

    def constants(self, a_lr: Tensor, dtype: torch.dtype) -> Tensor:
        """(3, n_values): a, and value and slope of (d^2 + a)^-s that vanish at the cutoff.

        a and rc^2 + a are rounded to float32, as FeNNol does also in float64.
        """
        rc = self.cutoff
        a = a_lr.reshape(-1).float() ** 2
        at_cutoff = (a + torch.tensor(rc * rc, dtype=torch.float32)).to(dtype)
        twice_s = torch.tensor(self.twice_s, dtype=dtype, device=a.device)
        edge = at_cutoff.pow(-0.5 * twice_s)
        slope = rc * twice_s * edge / at_cutoff
        return torch.stack([a.to(dtype), edge + rc * slope, slope])

    def radial(self, distance: Tensor, a_lr: Tensor) -> list[Tensor]:
        """One (E,) function per value; value and slope vanish at the cutoff."""
        square = distance * distance
        a, constant, slope = self.constants(a_lr, distance.dtype)
        ramp = cosine_ramp(distance, self.rshort, self.dshort)
        columns = []
        for n, power in enumerate(self.twice_s):
            value = _power(torch.rsqrt(square + a[n]), power)
            columns.append((value - constant[n] + distance * slope[n]) * ramp)
        return columns

    def kernels(self, edges: Edges, a_lr: Tensor) -> Tensor:
        """(K, E): radial functions, those of l times its harmonics; K = extra + (lmax + 1)^2."""
        columns = self.radial(edges.distances, a_lr)
        parts = [torch.stack(columns[: self.extra + 1])]
        harmonics = spherical_harmonics(edges.unit, self.lmax)
        for degree in range(1, self.lmax + 1):
            parts.append(columns[self.extra + degree] * harmonics[degree**2 : (degree + 1) ** 2])
        kernels = torch.cat(parts)
        return kernels if edges.switch_settings[1] == "hard" else kernels * edges.switch

    def sums(self, edges: Edges, z: Tensor, a_lr: Tensor) -> Tensor:
        """(n_center, C, K) sums of the kernels times the neighbours' values z (n_total, C, n)."""
        # one value per kernel: that of l serves its 2l + 1 components
        repeat = list(range(self.extra))
        repeat += [self.extra + degree for degree in l_of_component(self.lmax)]
        z = z.index_select(2, torch.tensor(repeat, device=z.device))
        # the one place with rows instead of columns: fewer and narrower transpositions
        rows = self.kernels(edges, a_lr).T.contiguous()
        return torch.stack([
            segment_sum(rows * z[:, channel].index_select(0, edges.neighbor), edges.order,
                        edges.first, edges.receiver)
            for channel in range(self.channels)
        ], dim=1)

    def _settings(self, a_lr: Tensor, dtype: torch.dtype) -> Settings:
        """What the kernels need, made anew only when the parameter changes."""
        key = (a_lr.data_ptr(), a_lr._version, dtype)
        if self._known is None or self._known[0] != key:
            with torch.no_grad():
                settings = Settings(torch.tensor(self.twice_s), self.constants(a_lr, dtype),
                                    self.extra, self.lmax, self.rshort, self.dshort)
            self._known = key, settings
        return self._known[1]

    def forward(self, edges: Edges, values: Dense, a_lr: Tensor, x: Tensor,
                tensor: Tensor) -> Tensor:
        """(n_center, n_out) invariants.

        ``x`` (n_total, dim) features before this layer's update, ``tensor`` (n_center, heads, M)
        after this layer's tensor sum.
        """
        c, extra = self.channels, self.extra
        z = values(x).view(-1, c, self.n_values)
        # FeNNix-Bio1 switches its long list off hard, which is all that the kernel knows
        hard = edges.switch_settings[1] == "hard"
        if edges.native and hard and fits(c, extra, self.lmax):
            sums = lode_sums(edges, z, self._settings(a_lr, z.dtype))
        else:
            sums = self.sums(edges, z, a_lr)
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
