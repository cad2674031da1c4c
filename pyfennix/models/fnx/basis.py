# SPDX-License-Identifier: MIT
"""Functions of a distance or a direction: switches, radial basis, real spherical harmonics."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor


def polynomial_switch(ratio: Tensor, p: Tensor | float, fennol_exact: bool = False) -> Tensor:
    """1 at ratio 0, 0 at 1 with two vanishing derivatives; p need not be whole.

    s = 1 - (p+1)(p+2)/2 u^p + p(p+2) u^(p+1) - p(p+1)/2 u^(p+2), notes §3.3. FeNNol computes
    coefficients and exponents in float32 also when it runs in float64; ``fennol_exact`` follows
    it there (the energies differ by up to 4e-6 eV per atom).
    """
    # written around u = 1: numbers like 45, 80 and 36 that cancel would be felt in float32
    left = 1.0 - ratio
    if fennol_exact and isinstance(p, Tensor):
        p = p.float()
        c1, c2, c3 = 0.5 * (p + 1) * (p + 2), p * (p + 2), 0.5 * p * (p + 1)
        if ratio.dtype == torch.float64:
            return 1.0 - c1 * ratio.pow(p) + c2 * ratio.pow(p + 1) - c3 * ratio.pow(p + 2)
        c1, c2, c3 = c1.double(), c2.double(), c3.double()
        inner = (c2 - 2.0 * c3).to(ratio) + c3.to(ratio) * left
        return 1.0 - ratio.pow(p) * ((c1 - c2 + c3).to(ratio) + inner * left)
    return 1.0 - ratio.pow(p) * (1.0 + p * left * (1.0 + 0.5 * (p + 1) * left))


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
    axis (notes §5); lmax at most 3. Each degree is a matrix times the monomials of that degree: a
    handful of operations instead of several per component.
    """
    parts = [torch.ones_like(unit[:1])]
    power = parts[0]
    for degree in range(1, lmax + 1):
        matrix, lower, axis = _monomials(degree, unit.dtype, unit.device)
        power = unit if degree == 1 else power.index_select(0, lower) * unit.index_select(0, axis)
        parts.append(matrix @ power)
    return torch.cat(parts)


# Coefficients of the components, by exponents of (x, y, z)
_COMPONENTS = (
    ({(0, 0, 0): 1.0},),
    ({(1, 0, 0): 3**0.5}, {(0, 1, 0): 3**0.5}, {(0, 0, 1): 3**0.5}),
    (
        {(1, 0, 1): 15**0.5},
        {(1, 1, 0): 15**0.5},
        {(0, 2, 0): 5**0.5, (2, 0, 0): -(5**0.5) / 2, (0, 0, 2): -(5**0.5) / 2},
        {(0, 1, 1): 15**0.5},
        {(0, 0, 2): 15**0.5 / 2, (2, 0, 0): -(15**0.5) / 2},
    ),
    (
        {(1, 0, 2): 0.75 * 70**0.5, (3, 0, 0): -0.25 * 70**0.5},
        {(1, 1, 1): 105**0.5},
        {(1, 2, 0): 42**0.5, (3, 0, 0): -0.25 * 42**0.5, (1, 0, 2): -0.25 * 42**0.5},
        {(0, 3, 0): 7**0.5, (2, 1, 0): -1.5 * 7**0.5, (0, 1, 2): -1.5 * 7**0.5},
        {(0, 2, 1): 42**0.5, (2, 0, 1): -0.25 * 42**0.5, (0, 0, 3): -0.25 * 42**0.5},
        {(0, 1, 2): 0.5 * 105**0.5, (2, 1, 0): -0.5 * 105**0.5},
        {(0, 0, 3): 0.25 * 70**0.5, (2, 0, 1): -0.75 * 70**0.5},
    ),
)


def _exponents(degree: int) -> list[tuple[int, int, int]]:
    """Exponents of the monomials of one degree; of degree 1 in the order x, y, z."""
    return [(a, b, degree - a - b)
            for a in range(degree, -1, -1) for b in range(degree - a, -1, -1)]


@cache
def _monomials(degree: int, dtype: torch.dtype, device: torch.device):
    """Matrix (2l + 1, monomials), and each monomial as one of a degree less times an axis."""
    exponents = _exponents(degree)
    matrix = [[terms.get(e, 0.0) for e in exponents] for terms in _COMPONENTS[degree]]
    below, lower, axis = _exponents(degree - 1), [], []
    for e in exponents:
        k = next(k for k in range(3) if e[k])
        lower.append(below.index(tuple(e[m] - (m == k) for m in range(3))))
        axis.append(k)
    put = torch.tensor
    return (put(matrix, dtype=dtype, device=device), put(lower, device=device),
            put(axis, device=device))


def l_of_component(lmax: int) -> list[int]:
    """The l of each of the (lmax + 1)^2 components."""
    return [degree for degree in range(lmax + 1) for _ in range(2 * degree + 1)]
