# SPDX-License-Identifier: MIT
"""Checks of a model that returns total energy, forces and virial itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pyfennix.models.interface import check_elements
from pyfennix.models.total_energy import TotalEnergy, TotalEnergyModel, evaluate_total
from pyfennix.models.validate_parts import random_positions
from pyfennix.models.validate_report import Check, judge, largest, raised

_EDGE = 7.0  # Å, of the random system when none is given


def total_checks(model: TotalEnergyModel, numbers, positions, cell, charge: float,
                 seed: int) -> list[Check]:
    """All checks; arguments as in ``validate_model``. Nothing is raised: what raises has failed."""
    try:
        if numbers is None:
            numbers, positions, cell = random_positions(model.elements, _EDGE, seed)
        case = _Case(model, numbers, positions, cell, charge, seed)
    except Exception as error:
        return [raised("set-up", error)]
    checks = []
    for name, check in _CHECKS.items():
        try:
            found = check(case, name)
        except Exception as error:
            found = raised(name, error)
        checks += [] if found is None else [found]
    return checks


class _Case:
    """The system, the model and its answer."""

    def __init__(self, model: TotalEnergyModel, numbers, positions, cell, charge, seed) -> None:
        check_elements(model, numbers)
        self.model, self.charge = model, charge
        self.numbers = np.asarray(numbers)
        self.positions = np.asarray(positions, np.float64)
        self.cell = None if cell is None else np.asarray(cell, np.float64)
        self.random = np.random.default_rng(seed + 1)
        self.reference = self.run()
        self.force_scale = 1.0 + largest(self.reference.forces)

    def run(self, numbers=None, positions=None, turn=None) -> TotalEnergy:
        """Evaluate, with the atoms and the cell multiplied by a matrix when there is one."""
        numbers = self.numbers if numbers is None else numbers
        positions = self.positions if positions is None else positions
        cell = self.cell
        if turn is not None:
            positions, cell = positions @ turn, None if cell is None else cell @ turn
        return evaluate_total(self.model, numbers, positions, cell, self.charge)


def _forces(case: _Case, name: str) -> Check:
    """Central differences along a random direction of every atom."""
    step, worst = 1e-4, 0.0
    for atom, force in enumerate(case.reference.forces):
        direction = case.random.normal(size=3)
        direction /= np.linalg.norm(direction)
        energies = []
        for sign in (1, -1):
            moved = case.positions.copy()
            moved[atom] += sign * step * direction
            energies.append(case.run(positions=moved).energy)
        worst = max(worst, abs((energies[1] - energies[0]) / (2 * step) - force @ direction))
    return judge(name, worst / case.force_scale, 2e-5, "relative to the largest force")


def _virial(case: _Case, name: str) -> Check | None:
    """Central differences with respect to strains; a stress is known to its symmetric part."""
    virial = case.reference.virial
    if virial is None:
        return judge(name, 0.0, 0.0, "none: runs with this model have no pressure")
    step, numeric = 1e-5, np.zeros((3, 3))
    for a, b in np.ndindex(3, 3):
        strain = np.zeros((3, 3))
        strain[a, b] += 0.5 * step
        strain[b, a] += 0.5 * step
        energies = [case.run(turn=np.eye(3) + sign * strain).energy for sign in (1, -1)]
        numeric[a, b] = (energies[0] - energies[1]) / (2 * step)
    symmetric = 0.5 * (virial + virial.T)
    return judge(name, largest(symmetric - numeric) / (1.0 + largest(virial)), 2e-5, "relative")


def _permutation(case: _Case, name: str) -> Check:
    order = case.random.permutation(len(case.numbers))
    moved = case.run(numbers=case.numbers[order], positions=case.positions[order])
    value = largest(moved.forces - case.reference.forces[order]) / case.force_scale
    return judge(name, value, 1e-8)


def _translation(case: _Case, name: str) -> Check:
    """A common shift, and in a cell single atoms moved by whole cell vectors."""
    moved = case.positions + case.random.normal(size=3)
    if case.cell is not None:
        moved = moved + case.random.integers(-2, 3, size=moved.shape) @ case.cell
    value = largest(case.run(positions=moved).forces - case.reference.forces)
    return judge(name, value / case.force_scale, 1e-7)


def _rotation(case: _Case, name: str) -> Check:
    matrix, _ = np.linalg.qr(case.random.normal(size=(3, 3)))
    matrix[:, 0] *= np.sign(np.linalg.det(matrix))
    moved = case.run(turn=matrix)
    value = largest(moved.forces - case.reference.forces @ matrix) / case.force_scale
    return judge(name, value, 1e-7)


def _determinism(case: _Case, name: str) -> Check:
    # Moved in between, so that a cached answer does not count
    case.run(positions=case.positions + 0.1)
    return judge(name, largest(case.run().forces - case.reference.forces) / case.force_scale, 1e-10)


def _untouched(case: _Case, name: str) -> Check:
    """Neither numbers nor positions may be written to."""
    numbers, positions = case.numbers.copy(), case.positions.copy()
    evaluate_total(case.model, numbers, positions, case.cell, case.charge)
    changed = not (np.array_equal(numbers, case.numbers)
                   and np.array_equal(positions, case.positions))
    return judge(name, float(changed), 0.0, "inputs written to")


_CHECKS: dict[str, Callable[[_Case, str], Check | None]] = {
    "forces": _forces,
    "virial": _virial,
    "permutation": _permutation,
    "translation": _translation,
    "rotation": _rotation,
    "determinism": _determinism,
    "untouched inputs": _untouched,
}
