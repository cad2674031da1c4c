"""The long-range part of RASTER: damped multipoles of the neighbours' values (notes §5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyfennix.models.raster.basis import cosine_ramp, spherical_harmonics
from pyfennix.models.raster.edges import Edges
from pyfennix.models.raster.layers import Dense


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
        # 2 s_n = n + 1 for the extra powers, 2l + 1... notes: s = (n + 1)/2, n = powers then l
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

    def radial(self, distance: Tensor, a_lr: Tensor) -> Tensor:
        """(E, n_values) functions whose value and slope vanish at the cutoff.

        a and rc^2 + a are rounded to float32, as FeNNol does also in float64.
        """
        rc = self.cutoff
        a = (a_lr.reshape(-1).float() ** 2).float()
        at_cutoff = (a + torch.tensor(rc * rc, dtype=torch.float32)).to(distance)
        a = a.to(distance)
        inverse = torch.rsqrt((distance * distance).unsqueeze(1) + a)
        twice_s = torch.tensor(self.twice_s, dtype=distance.dtype, device=distance.device)
        edge = at_cutoff.pow(-0.5 * twice_s)
        slope = rc * twice_s * edge / at_cutoff
        powers = torch.stack(
            [_power(column, n) for column, n in
             zip(inverse.unbind(1), self.twice_s, strict=True)], dim=1
        )
        ramp = cosine_ramp(distance, self.rshort, self.dshort)
        value = powers - edge + (distance - rc).unsqueeze(1) * slope
        return value * ramp.unsqueeze(1)

    def forward(self, edges: Edges, values: Dense, a_lr: Tensor, x: Tensor,
                tensor: Tensor) -> Tensor:
        """(n_center, n_out) invariants.

        ``x`` (n_total, dim) features before this layer's update, ``tensor`` (n_center, heads, M)
        after this layer's tensor sum.
        """
        c, extra = self.channels, self.extra
        z = values(x).view(-1, c, self.n_values).index_select(0, edges.neighbor)
        weighted = self.radial(edges.distances, a_lr).unsqueeze(1) * z
        unit = edges.vectors / edges.distances.unsqueeze(1)
        harmonics = spherical_harmonics(unit, self.lmax)
        parts = [weighted[:, :, :extra].reshape(len(unit), -1)]
        for degree in range(self.lmax + 1):
            y = harmonics[:, degree**2 : (degree + 1) ** 2]
            w = weighted[:, :, extra + degree]
            parts.append((w.unsqueeze(2) * y.unsqueeze(1)).reshape(len(unit), -1))
        sums = edges.sum(torch.cat(parts, dim=1))
        out, start = [sums[:, : c * (extra + 1)]], c * (extra + 1)
        for degree in range(1, self.lmax + 1):
            width = 2 * degree + 1
            multipole = sums[:, start : start + c * width].view(-1, c, width)
            own = tensor[:, :c, degree**2 : (degree + 1) ** 2]
            out.append((own * multipole).sum(2) / width)
            start += c * width
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
