# SPDX-License-Identifier: MIT
"""Several systems evaluated as one, without padding: ``evaluate_batch``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from pyfennix import units
from pyfennix.models.csr import check_csr
from pyfennix.models.evaluate import (
    Evaluation,
    Result,
    device_of,
    evaluate,
    evaluate_topology,
)
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model, check_elements
from pyfennix.models.members import read_member
from pyfennix.models.pairs import build_pairs
from pyfennix.models.systems import Systems, composition_of
from pyfennix.models.total_energy import TotalEnergyModel


def evaluate_batch(
    model: Model | TotalEnergyModel,
    systems: Sequence[Sequence | Mapping],
    outputs: Sequence[str] = (),
    spread: bool = False,
) -> list[Evaluation]:
    """Energies, forces and virials of many systems from one call of the model.

    Parameters
    ----------
    systems
        Each (numbers, positions[, cell[, charge]]) or a dict with these keys, as in
        :func:`pyfennix.evaluate`; isolated and periodic ones may be mixed.
    outputs, spread
        As in :func:`pyfennix.evaluate`.

    Returns
    -------
    list of Evaluation
        One per system, the same as evaluating them one by one.

    Raises
    ------
    InputError
        When a system is none; names its place in the sequence.
    ModelError
        As :func:`pyfennix.evaluate`.
    """
    members = [read_member(k, system) for k, system in enumerate(systems)]
    if isinstance(model, TotalEnergyModel):
        return [evaluate(model, *member, outputs=outputs, spread=spread) for member in members]
    if not members:
        return []
    for numbers, *_ in members:
        check_elements(model, numbers)
    length = units.length_in_angstrom(model.length_unit)
    lists, positions, cells = [], [], []
    for numbers, place, cell, charge in members:
        place, cell = place / length, None if cell is None else cell / length
        # equal compositions share what needs no geometry, unless their charges differ
        charge = charge if model.uses_total_charge else 0.0
        lists.append((numbers, *build_pairs(place, cell, model.cutoff), charge))
        positions.append(place)
        cells.append(np.zeros((3, 3)) if cell is None else cell)
    device = device_of(model)
    topology = join_systems(lists, device)
    result = evaluate_topology(
        model, topology, torch.as_tensor(np.concatenate(positions), device=device),
        torch.as_tensor(np.stack(cells), device=device), outputs=outputs, spread=spread,
    )
    return _split(model, result, [len(numbers) for numbers, *_ in members])


def join_systems(members: Sequence[tuple], device: str | torch.device = "cpu",
                 dtype: torch.dtype = torch.float64) -> Topology:
    """Several whole systems as one topology, their atoms one after the other.

    Parameters
    ----------
    members
        (numbers, first, neighbor, shift, total charge) of each system, its arrays as in
        ``Topology.from_csr``; indices count from the system's own first atom.
    device, dtype
        As in ``Topology.from_csr``.

    Raises
    ------
    ModelError
        When the arrays of a system contradict each other.
    """
    sizes = np.array([len(numbers) for numbers, *_ in members], dtype=np.int64)
    starts, edges, bounds, neighbors, shifts, known = 0, 0, [np.zeros(1, np.int64)], [], [], []
    for numbers, first, neighbor, shift, charge in members:
        numbers, first, neighbor = (np.asarray(x) for x in (numbers, first, neighbor))
        shift, n = np.asarray(shift).reshape(-1, 3), len(numbers)
        check_csr(numbers, first, neighbor, shift, n, n, n)
        bounds.append(first[1:].astype(np.int64) + edges)
        neighbors.append(neighbor.astype(np.int64) + starts)
        shifts.append(shift)
        known.append((composition_of(None, numbers), float(charge)))
        starts, edges = starts + n, edges + len(neighbor)
    systems = Systems.of(known)
    kinds = [systems.kinds(k, np.asarray(numbers)) for k, (numbers, *_) in enumerate(members)]
    shift, first = np.concatenate(shifts), np.concatenate(bounds)

    def put(array) -> torch.Tensor:
        return torch.tensor(array, dtype=torch.int64, device=device)

    return Topology(
        numbers=put(np.concatenate([np.asarray(numbers) for numbers, *_ in members])),
        first=put(first),
        receiver=put(np.repeat(np.arange(starts), np.diff(first))),
        neighbor=put(np.concatenate(neighbors)),
        shift=torch.tensor(shift, dtype=dtype, device=device) if shift.any() else None,
        n_local=starts,
        n_center=starts,
        n_total=starts,
        systems=systems,
        kind=put(np.concatenate(kinds)),
        system=put(np.repeat(np.arange(len(sizes)), sizes)),
    )


def _split(model: Model, result: Result, sizes: list[int]) -> list[Evaluation]:
    """The evaluation of each system, converted to kcal/mol and Å."""
    energy = units.energy_in_kcal(model.energy_unit)
    length = units.length_in_angstrom(model.length_unit)
    bounds = np.cumsum([0, *sizes])
    forces = result.forces.cpu().numpy() * (energy / length)
    atoms = result.atom_energies.double().cpu().numpy() * energy
    energies, virials = result.energy.cpu().numpy(), result.virial.cpu().numpy()
    spreads = None if result.spread is None else result.spread.cpu().numpy() * energy
    named = {name: value.cpu().numpy() for name, value in result.outputs.items()}
    found = []
    for k in range(len(sizes)):
        rows = slice(bounds[k], bounds[k + 1])
        found.append(Evaluation(
            energy=float(energies[k]) * energy,
            forces=forces[rows],
            virial=virials[k] * energy,
            atom_energies=atoms[rows],
            spread=None if spreads is None else float(spreads[k]),
            outputs={name: value[k if name in model.system_outputs else rows]
                     for name, value in named.items()},
        ))
    return found
