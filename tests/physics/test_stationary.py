"""What Langevin runs of springs sample, against the exact covariance of the discrete map."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.runs import MASS, simulation
from models import harmonic

pytestmark = [pytest.mark.physics, pytest.mark.slow]

GAS_CONSTANT = 8.31446261815324 / 4184.0  # kcal/mol/K
ACCELERATION = 418.4  # (kcal/mol/Å) / (g/mol) in Å/ps²
TEMPERATURE = 300.0
REDUCED = MASS[1] * MASS[8] / (MASS[1] + MASS[8])
SPRING = harmonic.Spring.stiffness
OMEGA = np.sqrt(SPRING * ACCELERATION / REDUCED)  # 1/ps


def stationary(dt, substeps, fast, friction):
    """Covariance of (x, v) of one spring after the outer kick, from S = M S Mᵀ + N.

    M and N follow from the letters of the ladder; x in Å, v in Å/ps, both relative.
    """
    h = dt / substeps
    keep = np.exp(-friction * h)
    noise = (1.0 - keep**2) * GAS_CONSTANT * TEMPERATURE * ACCELERATION / REDUCED

    def kick(time, stiffness):
        return np.array([[1.0, 0.0], [-time * stiffness * ACCELERATION / REDUCED, 1.0]])

    drift = np.array([[1.0, 0.5 * h], [0.0, 1.0]])
    inner = [kick(0.5 * h, fast), drift, np.diag([1.0, keep]), drift, kick(0.5 * h, fast)]
    outer = kick(0.5 * dt, SPRING - fast)
    step, random = np.eye(2), np.zeros((2, 2))
    for matrix in [outer, *inner * substeps, outer]:
        step, random = matrix @ step, matrix @ random @ matrix.T
        if matrix is inner[2]:
            random = random + np.diag([0.0, noise])
    system = np.eye(4) - np.kron(step, step)
    return np.linalg.solve(system, random.ravel()).reshape(2, 2)


def sample(dt_fs, frames=150, every=10, side=6, **options):
    """Moments <x²>, <xv>, <v²> of springs: mean and standard error over independent springs."""
    grid = 12.0 * np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    rest = np.array([harmonic.REST, 0.0, 0.0])
    positions = np.concatenate([grid, grid + rest])
    n = len(grid)
    sim = simulation([1] * n + [8] * n, positions, accurate="harmonic.py:Spring", dt=dt_fs,
                     ensemble="nvt", temperature=TEMPERATURE, seed=5, **options)
    sim.run(200)
    total = np.zeros((3, n, 3))
    for _ in range(frames):
        sim.run(every)
        x = sim.positions[n:] - sim.positions[:n] - rest
        v = sim.velocities[n:] - sim.velocities[:n]
        total += x * x, x * v, v * v
    moments = total.reshape(3, -1) / frames
    return moments.mean(1), moments.std(1, ddof=1) / np.sqrt(moments.shape[1])


def check(mean, error, exact, effective=1e4):
    """Within three standard errors, and enough independent samples behind them."""
    wanted = np.array([exact[0, 0], exact[0, 1], exact[1, 1]])
    samples = 2.0 * (exact[[0, 1], [0, 1]] / error[[0, 2]]) ** 2
    assert samples.min() > effective
    assert (np.abs(mean - wanted) < 3.0 * error).all(), (mean, wanted, error)


def test_baoab_samples_positions_exactly_at_a_large_step():
    """<x²> = kT/k at omega h = 1.5, where velocities are far off."""
    dt = 1.5 / OMEGA
    exact = stationary(dt, 1, SPRING, 100.0)
    assert exact[0, 0] == pytest.approx(GAS_CONSTANT * TEMPERATURE / SPRING, rel=1e-9)
    mean, error = sample(1e3 * dt, friction=100.0)
    check(mean, error, exact)


@pytest.mark.parametrize("name", ["Soft", "Close", "Hard"])
def test_respa_samples_the_covariance_of_its_map(name):
    """Three ratios k_fast / k, at omega dt = 0.9 with two substeps: errors are of many sigma."""
    fast = getattr(harmonic, name)
    dt = 0.9 / OMEGA
    exact = stationary(dt, 2, fast.stiffness, 100.0)
    mean, error = sample(1e3 * dt, fast=f"harmonic.py:{name}", substeps=2, friction=100.0)
    check(mean, error, exact)
