# SPDX-License-Identifier: MIT
"""Forces and virials of ANI models as derivatives of their energies, and symmetries of both."""

import numpy as np
import pytest
from helpers.ani import ANI2X, ani_model, molecule

from pyfennix.models.evaluate import evaluate

CELL = np.array([[4.1, 0.0, 0.0], [0.9, 3.8, 0.0], [-0.7, 0.6, 4.4]])


def energy_of(model, numbers, positions, cell=None):
    return evaluate(model, numbers, positions, cell).energy


COLLINEAR = np.array([[0.0, 0, 0], [1.1, 0, 0], [-1.2, 0, 0], [2.4, 0, 0]])
# just inside and outside of both cutoffs, by more than the step of the differences
AT_CUTOFFS = np.array([[0.0, 0, 0], [3.498, 0, 0], [0, 3.502, 0], [0, 0, 5.198], [0, -5.202, 0]])
SYSTEMS_TO_DIFFER = {
    "molecule": (*molecule(12), None),
    "contact": (np.array([8, 1, 6]), np.array([[0.0, 0, 0], [0.2, 0.1, 0], [0.9, 0.4, 0.3]]), None),
    "collinear": (np.array([6, 8, 1, 7]), COLLINEAR, None),
    "cutoffs": (np.array([6, 8, 1, 7, 1]), AT_CUTOFFS, None),
    "images": (np.array([8, 1, 1]), np.array([[0.1, 0, 0], [1.0, 0.2, 0], [0, 1.1, 0.3]]), CELL),
    "one in a cell": (np.array([6]), np.array([[0.3, 0.2, 0.1]]), CELL),
    "no edges": (np.array([1, 8]), np.array([[0.0, 0, 0], [9.0, 0, 0]]), None),
}


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("name", SYSTEMS_TO_DIFFER)
@pytest.mark.parametrize("aev", [None, ANI2X])
def test_forces_and_virials_are_derivatives(name, aev, native):
    model = ani_model(aev=aev, native=native)
    numbers, positions, cell = SYSTEMS_TO_DIFFER[name]
    result, h = evaluate(model, numbers, positions, cell), 1e-4
    assert np.isfinite(result.energy)

    def slope(move):
        """Fourth order in h."""
        near, far = (energy_of(model, numbers, *move(t)) - energy_of(model, numbers, *move(-t))
                     for t in (h, 2 * h))
        return (8 * near - far) / (12 * h)

    for atom in range(min(len(numbers), 4)):
        for axis in range(3):
            step = np.zeros_like(positions)
            step[atom, axis] = 1.0
            expected = -slope(lambda t, step=step: (positions + t * step, cell))
            assert result.forces[atom, axis] == pytest.approx(expected, abs=2e-5, rel=1e-6)
    for a, b in ((0, 0), (1, 2), (2, 0)):
        strain = np.zeros((3, 3))
        strain[a, b] = 1.0
        expected = slope(lambda t, s=strain: (
            positions @ (np.eye(3) + t * s), None if cell is None else cell @ (np.eye(3) + t * s)))
        assert result.virial[a, b] == pytest.approx(expected, abs=2e-4, rel=1e-6)


@pytest.mark.parametrize("native", [False, True])
def test_systems_without_pairs_have_self_energies_and_no_forces(native):
    model = ani_model(native=native)
    lone = evaluate(model, [8], [[0.0, 0, 0]])
    pair = evaluate(model, [8, 8], [[0.0, 0, 0], [30.0, 0, 0]])
    assert pair.energy == pytest.approx(2 * lone.energy, rel=1e-14)
    assert not pair.forces.any()
    assert not pair.virial.any()
    none = evaluate(model, np.zeros(0, int), np.zeros((0, 3)))
    assert none.energy == 0.0
    assert none.forces.shape == (0, 3)


def test_atoms_on_top_of_each_other_have_finite_forces():
    for native in (False, True):
        model = ani_model(native=native)
        positions = [[0.0, 0, 0], [0.0, 0, 0], [1e-3, 0, 0], [1.2, 0.3, 0]]
        assert np.isfinite(evaluate(model, [8, 1, 1, 6], positions).forces).all()


@pytest.mark.parametrize("native", [False, True])
def test_order_images_rotations_and_mirrors_do_not_matter(native):
    model = ani_model(native=native, aev=ANI2X)
    numbers, positions = molecule(14, box=3.7)
    whole = evaluate(model, numbers, positions, CELL)
    order = np.random.default_rng(0).permutation(len(numbers))
    moved = positions + np.random.default_rng(1).integers(-2, 3, positions.shape) @ CELL
    other = evaluate(model, numbers[order], moved[order], CELL)
    assert other.energy == pytest.approx(whole.energy, rel=1e-13)
    assert other.forces == pytest.approx(whole.forces[order], abs=1e-8)
    turn = -np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    turned = evaluate(model, numbers, positions @ turn, CELL @ turn)
    assert turned.energy == pytest.approx(whole.energy, rel=1e-13)
    assert turned.forces == pytest.approx(whole.forces @ turn, abs=1e-8)
