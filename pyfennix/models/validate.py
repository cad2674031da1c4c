# SPDX-License-Identifier: MIT
"""Checks that any model must pass before the engine may trust it: ``validate_model(model)``."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch

from pyfennix import units
from pyfennix.models.evaluate import Result, evaluate_topology
from pyfennix.models.graph import Topology
from pyfennix.models.interface import SYMBOLS, Model, check_elements
from pyfennix.models.pairs import build_pairs
from pyfennix.models.total_energy import TotalEnergyModel
from pyfennix.models.validate_parts import half_of_system, random_system
from pyfennix.models.validate_report import Check, Report, judge, largest, raised
from pyfennix.models.validate_total import total_checks


def validate_model(model: Model | TotalEnergyModel, numbers=None, positions=None, cell=None,
                   charge: float = 0.0, seed: int = 0) -> Report:
    """Check a model's contract on a small system.

    Shapes, finite-difference forces and virial, permutation, translation and rotation, an
    explicit ghost decomposition, a list longer than the cutoff, energies at the cutoff, atoms
    without neighbours, determinism and untouched inputs. Derivatives are checked on a float64
    copy of the model. A total-energy model is asked what it can answer: no ghosts, no cutoff.

    Parameters
    ----------
    model
        Any :class:`pyfennix.models.interface.Model`, which is not changed, or total-energy model.
    numbers, positions, cell
        (n,), (n, 3) and (3, 3) in Å of a periodic system to use; by default a random one of the
        model's elements in a skewed cell. For a total-energy model the cell may be None.
    charge
        Total charge in e.
    seed
        Of whatever is random.

    Returns
    -------
    Report
        With one entry per check, also for a model that raises: nothing is raised here.
    """
    report = Report(str(getattr(model, "name", type(model).__name__)))
    if isinstance(model, TotalEnergyModel):
        report.checks += total_checks(model, numbers, positions, cell, charge, seed)
        return report
    try:
        if numbers is None:
            numbers, positions, cell = random_system(model, seed)
        case = _Case(model, np.asarray(numbers), positions, cell, charge, seed)
    except Exception as error:
        report.checks.append(raised("set-up", error))
        return report
    for name, check in _CHECKS.items():
        try:
            report.checks.append(check(case, name))
        except Exception as error:  # a broken model must not end the report
            report.checks.append(raised(name, error))
    return report


class _Case:
    """The system, the model, and its float64 copy."""

    def __init__(self, model: Model, numbers, positions, cell, charge, seed) -> None:
        check_elements(model, numbers)
        length = units.length_in_angstrom(model.length_unit)
        units.energy_in_kcal(model.energy_unit)
        self.given = model
        self.model = copy.deepcopy(model).to(torch.float64).requires_grad_(False).eval()
        self.numbers, self.charge = numbers, charge
        self.positions = np.asarray(positions, dtype=np.float64) / length
        self.cell = np.asarray(cell, dtype=np.float64) / length
        self.random = np.random.default_rng(seed + 1)
        self.reference = self.run()
        self.force_scale = 1.0 + float(self.reference.forces.abs().max())
        self.energy_scale = 1.0 + float(self.reference.atom_energies.abs().max())

    def topology(self, numbers, positions, cell, skin: float = 0.0) -> Topology:
        pairs = build_pairs(positions, cell, self.model.cutoff + skin)
        n = len(numbers)
        return Topology.from_csr(numbers, *pairs, n, n, n, None, self.charge)

    def run(self, numbers=None, positions=None, cell="same", skin: float = 0.0,
            model: Model | None = None) -> Result:
        numbers = self.numbers if numbers is None else numbers
        positions = self.positions if positions is None else positions
        cell = self.cell if isinstance(cell, str) else cell
        topology = self.topology(numbers, positions, cell, skin)
        tensor = None if cell is None else torch.tensor(cell)
        return evaluate_topology(model or self.model, topology, torch.tensor(positions), tensor)


def _shapes(case: _Case, name: str) -> Check:
    """Energies (n,) in the declared dtype; evaluate_topology has refused other shapes already."""
    energies = case.run(model=case.given).atom_energies
    note = f"energies {energies.dtype}, declared {case.given.dtype}"
    return judge(name, float(energies.dtype != case.given.dtype), 0.5, note)


def _forces(case: _Case, name: str) -> Check:
    """Central differences along random directions of every atom."""
    step, worst = 1e-4, 0.0
    for atom in range(len(case.numbers)):
        direction = case.random.normal(size=3)
        direction /= np.linalg.norm(direction)
        energies = []
        for sign in (1, -1):
            moved = case.positions.copy()
            moved[atom] += sign * step * direction
            energies.append(float(case.run(positions=moved).energy))
        slope = -(energies[0] - energies[1]) / (2 * step)
        exact = float(case.reference.forces[atom].numpy() @ direction)
        worst = max(worst, abs(slope - exact))
    return judge(name, worst / case.force_scale, 2e-5, "relative to the largest force")


def _virial(case: _Case, name: str) -> Check:
    """Central differences with respect to all nine strains."""
    step, numeric = 1e-5, np.zeros((3, 3))
    for a in range(3):
        for b in range(3):
            energies = []
            for sign in (1, -1):
                strain = np.eye(3)
                strain[a, b] += sign * step
                moved = case.run(positions=case.positions @ strain, cell=case.cell @ strain)
                energies.append(float(moved.energy))
            numeric[a, b] = (energies[0] - energies[1]) / (2 * step)
    virial = case.reference.virial.numpy()
    return judge(name, largest(virial - numeric) / (1.0 + largest(virial)), 2e-5, "relative")


def _permutation(case: _Case, name: str) -> Check:
    order = case.random.permutation(len(case.numbers))
    moved = case.run(numbers=case.numbers[order], positions=case.positions[order])
    value = largest(moved.forces - case.reference.forces[order]) / case.force_scale
    return judge(name, value, 1e-10)


def _translation(case: _Case, name: str) -> Check:
    """A common shift, and single atoms moved by whole cell vectors."""
    hops = case.random.integers(-2, 3, size=case.positions.shape) @ case.cell
    moved = case.run(positions=case.positions + hops + case.random.normal(size=3))
    return judge(name, largest(moved.forces - case.reference.forces) / case.force_scale, 1e-9)


def _rotation(case: _Case, name: str) -> Check:
    matrix, _ = np.linalg.qr(case.random.normal(size=(3, 3)))
    if np.linalg.det(matrix) < 0:
        matrix[:, 0] *= -1
    moved = case.run(positions=case.positions @ matrix, cell=case.cell @ matrix)
    turned = case.reference.forces.numpy() @ matrix
    value = max(largest(moved.forces.numpy() - turned) / case.force_scale,
                abs(float(moved.energy - case.reference.energy)) / case.energy_scale)
    return judge(name, value, 1e-9)


def _ghosts(case: _Case, name: str) -> Check:
    """Two halves with explicit ghosts give the energy, forces and virial of the whole."""
    total, virial = 0.0, np.zeros((3, 3))
    forces = np.zeros_like(case.positions)
    for upper in (False, True):
        topology, positions, owner = half_of_system(
            case.model, case.numbers, case.positions, case.cell, upper, case.charge
        )
        result = evaluate_topology(case.model, topology, torch.tensor(positions), None)
        total += float(result.energy)
        virial += result.virial.numpy()
        np.add.at(forces, owner, result.forces.numpy())
    expected = case.reference
    value = max(abs(total - float(expected.energy)) / case.energy_scale,
                largest(forces - expected.forces.numpy()) / case.force_scale,
                largest(virial - expected.virial.numpy()) / (1.0 + largest(expected.virial)))
    return judge(name, value, 1e-9, "if not: declare interaction_range and center_range")


def _long_list(case: _Case, name: str) -> Check:
    longer = case.run(skin=0.7)
    value = max(largest(longer.forces - case.reference.forces) / case.force_scale,
                abs(float(longer.energy - case.reference.energy)) / case.energy_scale)
    return judge(name, value, 1e-10)


def _cutoff(case: _Case, name: str) -> Check:
    """The energy of a pair just inside the cutoff is that of two lone atoms."""
    pair = case.numbers[:2]
    energies = [
        float(case.run(numbers=pair, positions=np.array([[0.0, 0, 0], [0.0, 0, d]]),
                       cell=None).energy)
        for d in (case.model.cutoff * (1 - 1e-6), case.model.cutoff * 1.01)
    ]
    note = "a jump here heats a simulation"
    return judge(name, abs(energies[0] - energies[1]) / case.energy_scale, 1e-5, note)


def _lone_atom(case: _Case, name: str) -> Check:
    result = case.run(numbers=case.numbers[:1], positions=np.zeros((1, 3)), cell=None)
    note = "force on an atom without neighbours"
    return judge(name, float(result.forces.abs().max()), 0.0, note)


def _determinism(case: _Case, name: str) -> Check:
    first, second = case.run(model=case.given), case.run(model=case.given)
    return judge(name, largest(first.forces - second.forces), 0.0)


def _untouched(case: _Case, name: str) -> Check:
    """Neither the topology nor the positions may be written to."""
    topology = case.topology(case.numbers, case.positions, case.cell)
    positions, cell = torch.tensor(case.positions), torch.tensor(case.cell)
    watched = [topology.numbers, topology.first, topology.receiver, topology.neighbor, positions]
    before = [tensor.clone() for tensor in watched]
    evaluate_topology(case.model, topology, positions, cell)
    changed = sum(not torch.equal(a, b) for a, b in zip(watched, before, strict=True))
    return judge(name, float(changed), 0.0, "inputs written to")


def _declarations(case: _Case, name: str) -> Check:
    """What the engine will read; refused units and elements have been met before."""
    model = case.given
    known = "all" if model.elements is None else " ".join(SYMBOLS[z] for z in model.elements)
    bad = float(not (model.cutoff > 0 and model.halo >= model.cutoff and model.center_halo >= 0))
    note = f"cutoff {model.cutoff:g}, range {model.halo:g} {model.length_unit}, elements {known}"
    return judge(name, bad, 0.0, note)


_CHECKS: dict[str, Callable[[_Case, str], Check]] = {
    "declarations": _declarations,
    "shapes": _shapes,
    "forces": _forces,
    "virial": _virial,
    "permutation": _permutation,
    "translation": _translation,
    "rotation": _rotation,
    "ghosts": _ghosts,
    "list beyond cutoff": _long_list,
    "smooth at cutoff": _cutoff,
    "lone atom": _lone_atom,
    "determinism": _determinism,
    "untouched inputs": _untouched,
}
