"""The ladder of integrators: levels that coincide, time reversal, order, and another program."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.runs import REFERENCES, reference, simulation

pytestmark = pytest.mark.physics


def run(steps, start="isolated", **options):
    """Positions and velocities after so many outer steps."""
    numbers, x, v, cell = reference(start)
    sim = simulation(numbers, x, cell, velocities=v, **options)
    sim.run(steps)
    return sim.positions, sim.velocities


@pytest.mark.parametrize("substeps", [1, 4])
@pytest.mark.parametrize("start", ["isolated", "periodic"])
def test_equal_levels_are_one_level(start, substeps):
    """fast = accurate: the outer kick vanishes and BAOAB-RESPA is BAOAB at the inner step."""
    langevin = {"ensemble": "nvt", "temperature": 200.0, "seed": 11, "friction": 5.0}
    one = run(100 * substeps, start, dt=0.5, **langevin)
    two = run(100, start, dt=0.5 * substeps, substeps=substeps, fast="pairs.py:Accurate",
              **langevin)
    assert np.abs(two[0] - one[0]).max() < 1e-10
    assert np.abs(two[1] - one[1]).max() < 1e-8


def test_respa_runs_backwards():
    """200 outer steps, velocities reversed, 200 more: the start again.

    Rounding errors grow tenfold in 0.05 ps here, which is why the outer step is short.
    """
    numbers, x, v, cell = reference("periodic")
    sim = simulation(numbers, x, cell, velocities=v, fast="pairs.py:Fast", dt=1.0, substeps=2,
                     ensemble="nve")
    sim.run(200)
    assert np.abs(sim.positions - x).max() > 0.1
    sim.velocities = -sim.velocities
    sim.run(200)
    assert np.abs(sim.positions - x).max() < 1e-8
    assert np.abs(sim.velocities + v).max() < 1e-5


def fluctuation(dt, **options):
    """Standard deviation of the total energy over 0.25 ps of NVE."""
    numbers, x, v, _ = reference("isolated")
    sim = simulation(numbers, x, velocities=v, dt=dt, ensemble="nve", **options)
    energies = []
    for _ in range(round(250 / dt)):
        sim.run(1)
        energies.append(sim.energy.total)
    return np.std(energies)


def test_verlet_is_second_order():
    ratio = fluctuation(0.5) / fluctuation(0.25)
    assert ratio == pytest.approx(4.0, abs=0.5)


def test_respa_is_second_order():
    """Outer step 1 fs with two substeps against 0.5 fs with two."""
    fast = {"fast": "pairs.py:Fast", "substeps": 2}
    ratio = fluctuation(1.0, **fast) / fluctuation(0.5, **fast)
    assert ratio == pytest.approx(4.0, abs=0.5)


OURS = {
    "verlet": {"dt": 0.5, "ensemble": "nve"},
    "baoab": {"dt": 0.5, "ensemble": "nvt", "friction": 0.0, "temperature": 200.0},
    "respa": {"dt": 2.0, "substeps": 4, "fast": "pairs.py:Fast", "ensemble": "nve"},
}


@pytest.mark.parametrize("kind", OURS)
@pytest.mark.parametrize("start", ["isolated", "periodic"])
def test_another_program_agrees(start, kind):
    """Trajectories of regression/make_references.py (OpenMM), after 1, 10, 50 and 100 steps."""
    data = np.load(REFERENCES)
    numbers, x, v, cell = reference(start)
    sim = simulation(numbers, x, cell, velocities=v, **OURS[kind])
    done = 0
    for step, (there, speed) in zip(data["keep"], data[f"{start}_{kind}"], strict=True):
        sim.run(int(step) - done)
        done = int(step)
        assert np.abs(sim.positions - there).max() < 1e-8
        assert np.abs(sim.velocities - speed).max() < 1e-5


@pytest.mark.parametrize("start", ["isolated", "periodic"])
def test_another_program_agrees_on_forces(start):
    data = np.load(REFERENCES)
    numbers, x, v, cell = reference(start)
    for level, model in (("accurate", "pairs.py:Accurate"), ("fast", "pairs.py:Fast")):
        sim = simulation(numbers, x, cell, velocities=v, accurate=model, dt=1.0, ensemble="nve")
        sim.run(0)
        assert sim.energy.potential == pytest.approx(float(data[f"{start}_{level}_energy"]),
                                                     abs=1e-9)
        assert np.abs(sim.forces - data[f"{start}_{level}_forces"]).max() < 1e-10
