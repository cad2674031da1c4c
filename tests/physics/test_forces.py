"""Forces and virial against differences of energies; what must not change the energy."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.runs import model_path, reference, simulation
from helpers.waters import cubic, rotation, waters

import pyfennix

pytestmark = pytest.mark.physics

NAMES = ["pairs.py:Accurate", "pairs.py:Fast", "water-accurate", "water-fast"]
TRICLINIC = np.array([[7.6, 0.0, 0.0], [1.3, 7.4, 0.0], [-1.1, 0.9, 7.5]])
PLACES = {
    "isolated": (None, (2, 2, 2)),
    "periodic": (np.diag([9.6, 9.2, 9.4]), (3, 3, 3)),
    "triclinic": (TRICLINIC, (2, 3, 2)),
    "small box": (cubic(2), (1, 1, 2)),
}


def load(name):
    """A model in float64."""
    return pyfennix.load_model(model_path(name), dtype="float64", device="cpu")


def system(name, place):
    """Numbers, positions, cell: waters, or the hydrogen pairs of the analytic model."""
    cell, counts = PLACES[place]
    numbers, positions = waters(cubic(8) if cell is None else cell, counts)
    if not name.startswith("water"):  # no bonds between O and H there: keep the oxygens
        numbers, positions = numbers[::3], positions[::3]
    return numbers, positions, cell


@pytest.fixture(scope="module", params=NAMES)
def model(request):
    return request.param, load(request.param)


@pytest.mark.parametrize("place", PLACES)
def test_forces_are_minus_the_gradient(model, place):
    """Central differences with two steps, each within 1e-7 of the largest force."""
    name, net = model
    numbers, x, cell = system(name, place)
    forces = pyfennix.evaluate(net, numbers, x, cell).forces
    scale = np.abs(forces).max()
    rng = np.random.default_rng(3)
    for _ in range(4):
        atom, axis = rng.integers(len(numbers)), rng.integers(3)
        for h in (4e-5, 2e-5):
            energies = []
            for side in (h, -h):
                moved = x.copy()
                moved[atom, axis] += side
                energies.append(pyfennix.evaluate(net, numbers, moved, cell).energy)
            slope = (energies[0] - energies[1]) / (2 * h)
            assert abs(slope + forces[atom, axis]) < 1e-7 * scale, (atom, axis, h)


@pytest.mark.parametrize("place", PLACES)
def test_virial_is_the_strain_derivative(model, place):
    name, net = model
    numbers, x, cell = system(name, place)
    virial = pyfennix.evaluate(net, numbers, x, cell).virial
    scale = np.abs(virial).max()
    for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (2, 0), (1, 2)):
        for h in (4e-6, 2e-6):
            energies = []
            for side in (h, -h):
                strain = np.eye(3)
                strain[i, j] += side
                box = None if cell is None else cell @ strain
                energies.append(pyfennix.evaluate(net, numbers, x @ strain, box).energy)
            slope = (energies[0] - energies[1]) / (2 * h)
            assert abs(slope - virial[i, j]) < 1e-7 * scale, (i, j, h)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_pulls_at_the_whole(model, place):
    """Forces sum to zero; so does the torque of an isolated system."""
    name, net = model
    numbers, x, cell = system(name, place)
    forces = pyfennix.evaluate(net, numbers, x, cell).forces
    scale = np.abs(forces).max()
    assert np.abs(forces.sum(0)).max() < 1e-11 * scale
    if cell is None:
        assert np.abs(np.cross(x, forces).sum(0)).max() < 1e-10 * scale


@pytest.mark.parametrize("place", PLACES)
def test_what_leaves_the_energy_alone(model, place):
    """Translation, rotation, order of the atoms, and lattice vectors added to any of them."""
    name, net = model
    numbers, x, cell = system(name, place)
    rng = np.random.default_rng(4)
    turn, order = rotation(rng), rng.permutation(len(numbers))
    plain = pyfennix.evaluate(net, numbers, x, cell)
    box = None if cell is None else cell @ turn
    moved = pyfennix.evaluate(net, numbers[order], (x @ turn + [3.1, -40.2, 7.7])[order], box)
    scale = np.abs(plain.forces).max()
    assert moved.energy == pytest.approx(plain.energy, abs=1e-9 * len(numbers))
    assert np.abs(moved.forces - (plain.forces @ turn)[order]).max() < 1e-9 * scale
    if cell is not None:
        images = x + rng.integers(-3, 4, x.shape) @ cell
        there = pyfennix.evaluate(net, numbers, images, cell)
        assert there.energy == pytest.approx(plain.energy, abs=1e-9 * len(numbers))
        assert np.abs(there.forces - plain.forces).max() < 1e-9 * scale
        assert np.abs(there.virial - plain.virial).max() < 1e-9 * np.abs(plain.virial).max()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", NAMES)
def test_the_engine_sees_the_same(name, place):
    """Pair lists of the engine and of Python lead to the same energy and forces."""
    numbers, x, cell = system(name, place)
    sim = simulation(numbers, x, cell, dt=1.0, ensemble="nve", velocities=np.zeros_like(x),
                     accurate=name)
    sim.run(0)
    plain = pyfennix.evaluate(load(name), numbers, x, cell)
    scale = np.abs(plain.forces).max()
    assert sim.energy.potential == pytest.approx(plain.energy, abs=1e-9 * len(numbers))
    assert np.abs(sim.forces - plain.forces).max() < 1e-10 * scale


def test_momentum_stays(tmp_path):
    """Neither Verlet nor RESPA changes the total momentum."""
    numbers, x, v, cell = reference("periodic")
    mass = np.where(numbers == 1, 1.008, 15.999)[:, None]
    for options in ({}, {"fast": "pairs.py:Fast", "substeps": 4}):
        sim = simulation(numbers, x, cell, velocities=v, dt=1.0, ensemble="nve", **options)
        sim.run(100)
        assert np.abs((mass * (sim.velocities - v)).sum(0)).max() < 1e-9
