# SPDX-License-Identifier: MIT
"""Energies, forces and virial of a model, from one backward pass to the edge vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pyfennix import units
from pyfennix.exceptions import ModelError
from pyfennix.models.graph import Graph, Topology
from pyfennix.models.interface import Model, check_elements
from pyfennix.models.pairs import build_pairs


@dataclass
class Result:
    """Result of :func:`evaluate_topology`, in the model's own units.

    Attributes
    ----------
    energy
        0-d float64 tensor, sum over the local atoms.
    atom_energies
        (n_center,) tensor in the model's dtype; only the first n_local count.
    forces
        (n_total, 3) float64; ghosts carry what belongs to their owners. None if not wanted.
    virial
        (3, 3) float64, +dE/dstrain for r' = r (1 + strain), row vectors. None if not wanted.
    """

    energy: Tensor
    atom_energies: Tensor
    forces: Tensor | None
    virial: Tensor | None


@dataclass
class Evaluation:
    """Result of :func:`evaluate`: kcal/mol and Å, numpy arrays."""

    energy: float
    forces: np.ndarray
    virial: np.ndarray
    atom_energies: np.ndarray


def evaluate_topology(
    model: Model,
    topology: Topology,
    positions: Tensor,
    cell: Tensor | None,
    want_forces: bool = True,
    want_virial: bool = True,
) -> Result:
    """Evaluate ``model`` on a prepared topology; this is what the engine's bridge calls.

    Parameters
    ----------
    positions
        (n_total, 3) float64 tensor, in the model's unit of length.
    cell
        (3, 3) float64 tensor, rows are lattice vectors; None for an isolated system.
    want_forces, want_virial
        What to compute besides the energy; either costs one backward pass, both the same one.

    Raises
    ------
    ModelError
        When the model returns a wrong shape, or energies or forces that are not finite.
    """
    needs_grad = want_forces or want_virial
    graph = topology.graph(positions, cell, model.cutoff, model.dtype, needs_grad)
    with torch.set_grad_enabled(needs_grad):
        atom_energies = model(graph)
        _check_energies(model, graph, atom_energies)
        energy = atom_energies[: graph.n_local].sum(dtype=torch.float64)
    forces = virial = None
    if needs_grad:
        gradient = _edge_gradient(energy, graph)
        forces = _forces(gradient, graph) if want_forces else None
        virial = graph.vectors.detach().double().T @ gradient if want_virial else None
        if not bool(torch.isfinite(gradient).all()):
            raise ModelError(f"model {model.name} returned forces that are not finite")
    return Result(energy.detach(), atom_energies.detach(), forces, virial)


def _edge_gradient(energy: Tensor, graph: Graph) -> Tensor:
    """(E, 3) float64 dE/dvector; zero when the energy does not depend on the geometry."""
    if not energy.requires_grad:
        return torch.zeros_like(graph.vectors, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(energy, graph.vectors, allow_unused=True)
    if gradient is None:
        return torch.zeros_like(graph.vectors, dtype=torch.float64)
    return gradient.double()


def _forces(gradient: Tensor, graph: Graph) -> Tensor:
    """Forces from dE/dvector: a vector r_j - r_i pushes i forwards and j backwards."""
    columns = [
        torch.bincount(graph.receiver, column, minlength=graph.n_total)
        - torch.bincount(graph.neighbor, column, minlength=graph.n_total)
        for column in gradient.T.contiguous()
    ]
    return torch.stack(columns, dim=1)


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
    model: Model,
    numbers,
    positions,
    cell=None,
    charge: float = 0.0,
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
        Total charge in e.

    Returns
    -------
    Evaluation
        energy in kcal/mol, forces (n, 3) in kcal/mol/Å, virial (3, 3) = dE/dstrain in kcal/mol,
        atom_energies (n,) in kcal/mol.

    Raises
    ------
    ModelError
        When an element is unknown to the model, or its result is unusable.
    """
    numbers = np.asarray(numbers)
    check_elements(model, numbers)
    length = units.length_in_angstrom(model.length_unit)
    positions = np.asarray(positions, dtype=np.float64) / length
    cell = None if cell is None else np.asarray(cell, dtype=np.float64) / length
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
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
    )
    energy = units.energy_in_kcal(model.energy_unit)
    return Evaluation(
        energy=float(result.energy) * energy,
        forces=result.forces.cpu().numpy() * (energy / length),
        virial=result.virial.cpu().numpy() * energy,
        atom_energies=result.atom_energies.double().cpu().numpy() * energy,
    )
