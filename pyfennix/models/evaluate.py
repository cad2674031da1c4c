# SPDX-License-Identifier: MIT
"""Energies, forces and virial of a model, from one backward pass to the edge vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pyfennix import units
from pyfennix.exceptions import ModelError
from pyfennix.models.exchange import Exchange
from pyfennix.models.forces import edge_gradient, forces_and_virials
from pyfennix.models.graph import Graph, Topology
from pyfennix.models.interface import Model, check_elements
from pyfennix.models.members import read_system
from pyfennix.models.native.library import wanted
from pyfennix.models.pairs import build_pairs
from pyfennix.models.total_energy import TotalEnergyModel, evaluate_total


@dataclass
class Result:
    """Result of :func:`evaluate_topology`, in the model's own units.

    Attributes
    ----------
    energy
        0-d float64 tensor, sum over the local atoms; (n_systems,) of several systems.
    atom_energies
        (n_center,) tensor in the model's dtype; only the first n_local count.
    forces
        (n_total, 3) float64; ghosts carry what belongs to their owners. None if not wanted.
    virial
        (3, 3) float64, +dE/dstrain for r' = r (1 + strain), row vectors; (n_systems, 3, 3) of
        several systems. None if not wanted.
    spread
        Like ``energy``, the standard deviation of the ensemble of total energies. None if not
        asked for.
    outputs
        What was asked for by name: (n_center, ...) or, of a sum over systems, (n_systems, ...).
    """

    energy: Tensor
    atom_energies: Tensor
    forces: Tensor | None
    virial: Tensor | None
    spread: Tensor | None = None
    outputs: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class Evaluation:
    """Result of :func:`evaluate`: kcal/mol and Å, numpy arrays; ``outputs`` in the model's units.

    A total-energy model has no ``atom_energies`` (None), and a periodic system no ``virial``
    (None) when such a model does not give one; ``spread`` is None unless asked for.
    """

    energy: float
    forces: np.ndarray
    virial: np.ndarray | None
    atom_energies: np.ndarray | None
    spread: float | None = None
    outputs: dict[str, np.ndarray] = field(default_factory=dict)


def evaluate_topology(
    model: Model,
    topology: Topology,
    positions: Tensor,
    cell: Tensor | None,
    want_forces: bool = True,
    want_virial: bool = True,
    outputs: Sequence[str] = (),
    spread: bool = False,
) -> Result:
    """Evaluate ``model`` on a prepared topology; this is what the engine's bridge calls.

    Parameters
    ----------
    positions
        (n_total, 3) float64 tensor, in the model's unit of length.
    cell
        (3, 3) float64 tensor, rows are lattice vectors; None for an isolated system. Of several
        systems (n_systems, 3, 3), zeros for an isolated one.
    want_forces, want_virial
        What to compute besides the energy; either costs one backward pass, both the same one.
    outputs, spread
        Names of ``model.output_names`` to return, and whether the ensemble's spread is wanted.

    Raises
    ------
    ModelError
        When the model returns a wrong shape, or energies or forces that are not finite; when it
        has no such output, or no ensemble.
    """
    needs_grad = want_forces or want_virial
    outputs = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    names = _names(model, outputs, spread)
    # edges and forces never pass a parameter: training changes nothing
    native = wanted(model.native, positions.new_empty(0, dtype=model.dtype), ())
    graph = topology.graph(positions, cell, model.cutoff, model.dtype, needs_grad, native)
    found: dict[str, Tensor] = {}
    # a hook may be any module; those of the engine want to know what energies are differentiated by
    hook = model.exchange if isinstance(model.exchange, Exchange) else Exchange()
    hook.begin(graph.vectors, graph.n_total)
    with torch.set_grad_enabled(needs_grad):
        if names:
            atom_energies, found = model.forward_outputs(graph, names)
        else:
            atom_energies = model(graph)
        _check_energies(model, graph, atom_energies)
        energy = hook.tie(_sums(atom_energies[: graph.n_local], graph))
    forces = virial = None
    if needs_grad:
        gradient = edge_gradient(energy.sum(), graph)
        forces, virial = forces_and_virials(gradient, graph, native)
        if not bool(torch.isfinite(forces).all()):
            raise ModelError(f"model {model.name} returned forces that are not finite")
        virial = virial if topology.system is not None else virial[0]
    return Result(
        energy.detach(), atom_energies.detach(),
        forces if want_forces else None, virial if want_virial else None,
        _spread(model, found, graph) if spread else None,
        {name: found[name].detach() for name in outputs},
    )


def _names(model: Model, outputs: Sequence[str], spread: bool) -> tuple[str, ...]:
    """All outputs to ask for; ModelError for one the model does not have."""
    for name in outputs:
        if name not in model.output_names:
            known = ", ".join(model.output_names) or "none"
            raise ModelError(f"model {model.name} has no output {name!r}: there are {known}")
    if spread and not model.ensembles:
        raise ModelError(f"model {model.name} is no ensemble of models, hence has no spread")
    return tuple(dict.fromkeys((*outputs, *(model.ensembles if spread else ()))))


def _sums(rows: Tensor, graph: Graph) -> Tensor:
    """Sums of (n_local, ...) rows in float64: (...) or, of several systems, (n_systems, ...)."""
    if graph.topology.system is None:
        return rows.sum(0, dtype=torch.float64)
    sums = torch.zeros(graph.n_systems, *rows.shape[1:], dtype=torch.float64, device=rows.device)
    return sums.index_add(0, graph.system[: graph.n_local], rows.double())


def _spread(model: Model, found: dict[str, Tensor], graph: Graph) -> Tensor:
    """Unbiased standard deviation over the members of the total energies."""
    members = [_sums(found[key].detach()[: graph.n_local], graph) for key in model.ensembles]
    if len({part.shape for part in members}) != 1:
        raise ModelError(f"model {model.name} has ensembles of different sizes: no spread")
    return torch.stack(members).sum(0).std(-1)


def _check_energies(model: Model, graph: Graph, energies: Tensor) -> None:
    """Refuse energies of a wrong kind, shape or value, with one sentence."""
    if not isinstance(energies, Tensor):
        raise ModelError(
            f"model {model.name} returned {type(energies).__name__}, expected a tensor"
        )
    if energies.shape != (graph.n_center,):
        raise ModelError(
            f"model {model.name} returned energies of shape {tuple(energies.shape)}, "
            f"expected ({graph.n_center},)"
        )
    if not bool(torch.isfinite(energies[: graph.n_local]).all()):
        raise ModelError(f"model {model.name} returned energies that are not finite")


def evaluate(
    model: Model | TotalEnergyModel,
    numbers,
    positions,
    cell=None,
    charge: float = 0.0,
    outputs: Sequence[str] = (),
    spread: bool = False,
) -> Evaluation:
    """Energy, forces and virial of a whole system, with its own pair list.

    Parameters
    ----------
    numbers, positions
        (n,) atomic numbers and (n, 3) positions in Å.
    cell
        (3, 3) in Å, rows are lattice vectors, periodic along all three; None for an isolated
        system. Any size, also smaller than the cutoff.
    charge
        Total charge in e; None is 0.
    outputs
        Names among ``model.output_names``: for a ``.fnx`` model, whatever its modules write,
        such as "static_charges" or "embedding".
    spread
        Whether to compute the spread of an ensemble of models.

    Returns
    -------
    Evaluation
        energy in kcal/mol, forces (n, 3) in kcal/mol/Å, virial (3, 3) = dE/dstrain in kcal/mol,
        atom_energies (n,) and spread in kcal/mol; outputs {name: (n, ...) or, of sums over the
        system, (...)} in the model's own units.

    Raises
    ------
    InputError
        When the system's arrays have wrong shapes or hold no numbers.
    ModelError
        When an element, an output or an ensemble is unknown to the model, or its result is
        unusable.
    """
    numbers, positions, cell, charge = read_system(numbers, positions, cell, charge)
    check_elements(model, numbers)
    if isinstance(model, TotalEnergyModel):
        if outputs or spread:
            raise ModelError(f"model {model.name} returns a total energy, no outputs or spread")
        return _evaluate_whole(model, numbers, positions, cell, charge)
    length = units.length_in_angstrom(model.length_unit)
    positions, cell = positions / length, None if cell is None else cell / length
    device = device_of(model)
    first, neighbor, shift = build_pairs(positions, cell, model.cutoff)
    n = len(numbers)
    topology = Topology.from_csr(
        numbers, first, neighbor, shift, n, n, n, None, charge, device=device
    )
    result = evaluate_topology(
        model,
        topology,
        torch.as_tensor(positions, device=device),
        None if cell is None else torch.as_tensor(cell, device=device),
        outputs=outputs,
        spread=spread,
    )
    energy = units.energy_in_kcal(model.energy_unit)
    named = {name: value.cpu().numpy() for name, value in result.outputs.items()}
    return Evaluation(
        energy=float(result.energy) * energy,
        forces=result.forces.cpu().numpy() * (energy / length),
        virial=result.virial.cpu().numpy() * energy,
        atom_energies=result.atom_energies.double().cpu().numpy() * energy,
        spread=float(result.spread) * energy if spread else None,
        outputs={k: v[0] if k in model.system_outputs else v for k, v in named.items()},
    )


def device_of(model: Model) -> torch.device:
    """Where the model's parameters are."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def _evaluate_whole(model: TotalEnergyModel, numbers, positions, cell, charge) -> Evaluation:
    """:func:`evaluate` for a model that returns total energy and forces itself."""
    positions = np.asarray(positions, dtype=np.float64)
    cell = None if cell is None else np.asarray(cell, dtype=np.float64)
    found = evaluate_total(model, numbers, positions, cell, charge)
    energy = units.energy_in_kcal(model.energy_unit)
    virial = None if found.virial is None else found.virial * energy
    return Evaluation(found.energy * energy, found.forces * energy, virial, None)
