# SPDX-License-Identifier: MIT
"""The estimate of heating against kicks whose effect is known, and against toy dynamics."""

import numpy as np
import pytest

from pyfennix.distillation.heating import PowerSeries, heating_of
from pyfennix.units import BOLTZMANN

KT, PER = BOLTZMANN * 300.0, 418.4  # kcal/mol; Å²/ps² of a kcal/g


@pytest.mark.parametrize("outer", [2.0, 3.0, 4.0, 5.0, 6.0])
def test_independent_kicks_heat_as_brownian_ones_do(outer):
    """White noise of force f, mass m: dE/dt = (Δt − dt) f²/2m, of kicks every Δt less the smooth
    part that steps of dt follow."""
    rng, groups, steps, mass, force = np.random.default_rng(0), 300, 2000, 1.008, 0.7
    speed = np.sqrt(KT * PER / mass)
    power = rng.normal(0, force, (steps, groups)) * rng.normal(0, speed, (steps, groups))
    # groups of three atoms, of which one is kicked
    found = heating_of(power, 3 * groups, 1.0, 300.0)
    expected = (outer - 1.0) * 1e-3 * force**2 * PER / (2 * mass) / 3
    assert found.rate(outer) == pytest.approx(expected, rel=0.08)
    assert found.rise(outer, 2.0) == pytest.approx(found.rate(outer) / (6 * BOLTZMANN))
    assert np.isnan(found.rate(1.9))


def test_the_longest_step_that_hardly_heats_is_suggested():
    """Power at one frequency, that of 4 fs: 3.5 fs is as long as can be, 8 fs heats as well."""
    time = np.arange(3000.0)
    found = heating_of(50 * np.cos(2 * np.pi * time / 4.0)[:, None], 1, 1.0, 300.0)
    assert found.suggested(1.0, 12.0) == 3.5
    assert found.suggested(1.0, 2.6) == 2.5
    assert found.rate(8.0) == pytest.approx(found.rate(4.0), rel=0.05)
    facts = found.facts(5.0, 99.0)
    assert facts["outer_fs"][0] == 2.0
    assert facts["rise_kelvin"][4] == pytest.approx(found.rise(4.0, 5.0))
    assert heating_of(np.zeros((100, 1)), 1, 1.0, 300.0).facts(1.0, 99.0)[
        "suggested_outer_fs"] == 12.0


def test_the_power_is_the_derivative_of_the_potential_difference():
    """ΔU = c x²/2 along an oscillation of 9 fs, velocities as steps of 1 fs give them."""
    time, c = np.arange(400.0), 3.0
    omega = 2 * np.pi / 9.0
    x = np.zeros((402, 2, 3))
    x[:, 1, 0] = np.cos(omega * np.arange(-1.0, 401.0))
    series = PowerSeries(np.array([0, 0]))
    for k in range(1, 401):
        series.add(-c * x[k], (x[k + 1] - x[k - 1]) / 2e-3)
    found, exact = np.array(series.values)[:, 0], -c * 500 * omega * np.sin(2 * omega * time[1:-1])
    assert found.shape == exact.shape
    # power is what ΔF does: minus the derivative of ΔU
    assert np.abs(found + exact).max() < 0.01 * np.abs(exact).max()


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
