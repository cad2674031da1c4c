# SPDX-License-Identifier: MIT
"""The estimate of heating against kicks whose effect is known, and against toy dynamics."""

import numpy as np
import pytest

from pyfennix.distillation.heating import heating_of
from pyfennix.units import BOLTZMANN

KT, PER = BOLTZMANN * 300.0, 418.4  # kcal/mol; Å²/ps² of a kcal/g


def test_independent_kicks_heat_as_brownian_ones_do():
    """White noise of force f, mass m: dE/dt = (Δt − dt) f²/2m, of kicks every Δt less the smooth
    part that steps of dt follow."""
    rng, groups, steps, mass, force = np.random.default_rng(0), 200, 1500, 1.008, 0.7
    speed = np.sqrt(KT * PER / mass)
    power = rng.normal(0, force, (steps, groups)) * rng.normal(0, speed, (steps, groups))
    found = heating_of(power, groups, 1.0, 300.0)
    assert found.rate(3.0) == pytest.approx(2e-3 * force**2 * PER / (2 * mass), rel=0.1)
    assert found.rise(3.0, 2.0) == pytest.approx(found.rate(3.0) / (6 * BOLTZMANN))
    assert np.isnan(found.rate(1.9))


class Bonds:
    """Bonds x of one atom each, period near 9 fs: the fast potential is Morse's, x³ is missed.

    The atoms are in a bath of friction 2/ps; frequencies spread by 3 %, as a liquid's do.
    """

    mass, count, friction, steep = 1.008, 2000, 2.0, 2.2

    def __init__(self, cubic: float) -> None:
        self.rng = np.random.default_rng(1)
        omega = 2 * np.pi / 0.009 * (1 + 0.03 * self.rng.standard_normal(self.count))
        self.cubic, k = cubic, self.mass * omega**2 / PER
        self.depth = k / (2 * self.steep**2)
        self.x = self.rng.normal(0, np.sqrt(KT / k))
        self.v = self.rng.normal(0, np.sqrt(KT * PER / self.mass), self.count)

    def pull(self, dt: float) -> None:
        """The fast force over dt ps."""
        out = np.exp(-self.steep * self.x)
        self.v -= dt * PER / self.mass * 2 * self.depth * self.steep * (1 - out) * out

    def outer_step(self, dt: float, substeps: int) -> float:
        """One RESPA step of dt ps; the mid-step kinetic temperature."""
        inner = dt / substeps
        keep = np.exp(-self.friction * inner)
        noise = np.sqrt((1 - keep**2) * KT * PER / self.mass)
        warm = 0.0
        self.v -= 0.5 * dt * PER / self.mass * 3 * self.cubic * self.x**2
        for _ in range(substeps):
            self.pull(0.5 * inner)
            self.x += 0.5 * inner * self.v
            self.v = keep * self.v + noise * self.rng.standard_normal(self.count)
            warm += self.mass * (self.v**2).mean() / PER / BOLTZMANN / substeps
            self.x += 0.5 * inner * self.v
            self.pull(0.5 * inner)
        self.v -= 0.5 * dt * PER / self.mass * 3 * self.cubic * self.x**2
        return warm


def test_the_estimate_foretells_the_temperature_of_dynamics():
    """Three times the bonds' frequency meets 1/Δt at 3 fs: the cubic difference heats them."""
    cubic = 40.0
    bonds, power = Bonds(cubic), []
    for _ in range(3000):
        bonds.outer_step(0.0005, 1)
        power.append(-3 * cubic * bonds.x**2 * bonds.v)
    found = heating_of(np.array(power[1000:]), bonds.count, 0.5, 300.0)
    # one direction of motion is heated, and the bath cools it alone
    expected = found.rate(3.0) / (bonds.friction * BOLTZMANN)
    bonds = Bonds(cubic)
    measured = np.mean([bonds.outer_step(0.003, 4) for _ in range(3000)][500:]) - 300.0
    assert expected > 8.0
    assert measured == pytest.approx(expected, rel=0.35)
    assert found.rise(2.0, bonds.friction) < 0.05 * found.rise(3.0, bonds.friction)
