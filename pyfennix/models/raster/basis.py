# SPDX-License-Identifier: MIT
"""Functions of a distance or a direction: switches, radial basis, real spherical harmonics."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def polynomial_switch(ratio: Tensor, p: Tensor | float, fennol_exact: bool = False) -> Tensor:
    """1 at ratio 0, 0 at 1 with two vanishing derivatives; p need not be whole.

    s = 1 - (p+1)(p+2)/2 u^p + p(p+2) u^(p+1) - p(p+1)/2 u^(p+2), notes §3.3. FeNNol computes
    coefficients and exponents in float32 also when it runs in float64; ``fennol_exact`` follows
    it there (the energies differ by up to 4e-6 eV per atom).
    """
    if fennol_exact and isinstance(p, Tensor) and ratio.dtype == torch.float64:
        p = p.float()
        c1, c2, c3 = 0.5 * (p + 1) * (p + 2), p * (p + 2), 0.5 * p * (p + 1)
        return 1.0 - c1 * ratio.pow(p) + c2 * ratio.pow(p + 1) - c3 * ratio.pow(p + 2)
    c1, c2, c3 = 0.5 * (p + 1) * (p + 2), p * (p + 2), 0.5 * p * (p + 1)
    power = ratio.pow(p)
    return 1.0 - power * (c1 - ratio * (c2 - c3 * ratio))


def cosine_ramp(distance: Tensor, start: Tensor | float, width: Tensor | float) -> Tensor:
    """0 below ``start``, 1 above ``start + width``, half a cosine between."""
    return 0.5 - 0.5 * torch.cos(math.pi * ((distance - start) / width).clamp(0.0, 1.0))


def bessel_basis(distance: Tensor, cutoff: float, dim: int) -> Tensor:
    """(dim, E) functions rc/(dim pi) sin(n pi d/rc)/d, n = 1..dim, notes §5."""
    n = torch.arange(1, dim + 1, dtype=distance.dtype, device=distance.device)
    waves = torch.sin((n * (math.pi / cutoff)).unsqueeze(1) * distance)
    return waves * ((cutoff / (dim * math.pi)) / distance)


def spherical_harmonics(unit: Tensor, lmax: int) -> Tensor:
    """Real spherical harmonics of (3, E) unit vectors, ((lmax + 1)^2, E).

    "Component" normalisation (the squares of one l sum to 2l + 1), e3nn's order with y as polar
    axis (notes §5); lmax at most 3.
    """
    return torch.stack(harmonic_list(unit, lmax))


def harmonic_list(unit: Tensor, lmax: int) -> list[Tensor]:
    """:func:`spherical_harmonics` as a list of (E,) arrays."""
    x, y, z = unit.unbind(0)
    parts = [torch.ones_like(x)]
    if lmax >= 1:
        parts += [math.sqrt(3.0) * x, math.sqrt(3.0) * y, math.sqrt(3.0) * z]
    if lmax >= 2:
        x2, y2, z2 = x * x, y * y, z * z
        s15 = math.sqrt(15.0)
        parts += [
            s15 * (x * z),
            s15 * (x * y),
            math.sqrt(5.0) * (y2 - 0.5 * (x2 + z2)),
            s15 * (y * z),
            (0.5 * s15) * (z2 - x2),
        ]
    if lmax >= 3:
        s70, s42, s105 = math.sqrt(70.0) / 4, math.sqrt(42.0) / 4, math.sqrt(105.0)
        waist = 4 * y2 - x2 - z2
        parts += [
            s70 * (x * (3 * z2 - x2)),
            s105 * (x * y * z),
            s42 * (x * waist),
            (math.sqrt(7.0) / 2) * (y * (2 * y2 - 3 * x2 - 3 * z2)),
            s42 * (z * waist),
            (0.5 * s105) * (y * (z2 - x2)),
            s70 * (z * (z2 - 3 * x2)),
        ]
    return parts


def l_of_component(lmax: int) -> list[int]:
    """The l of each of the (lmax + 1)^2 components."""
    return [degree for degree in range(lmax + 1) for _ in range(2 * degree + 1)]
