# SPDX-License-Identifier: MIT
"""Several frames as one graph, and what a model predicts for them, differentiable by weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pyfennix import units
from pyfennix.exceptions import ModelError
from pyfennix.models.batch import join_systems
from pyfennix.models.forces import edge_gradient
from pyfennix.models.interface import Model
from pyfennix.models.pairs import build_pairs
from pyfennix.training.frames import Frame


@dataclass(eq=False)
class Batch:
    """Frames as one topology, with their labels as tensors of the model's kind.

    Attributes
    ----------
    sizes
        (frames,) atoms of each.
    energy, has_energy
        (frames,) eV, and whether it is known.
    forces, weights
        (n, 3) eV/Å and (n, 1), zero where unknown.
    virial, has_virial
        (frames, 3, 3) eV and (frames,).
    relatives
        (pairs, 2) rows of one atom in the first frame of a family and in another.
    """

    topology: object
    positions: Tensor
    cells: Tensor
    sizes: Tensor
    energy: Tensor
    has_energy: Tensor
    forces: Tensor
    weights: Tensor
    virial: Tensor
    has_virial: Tensor
    relatives: Tensor


@dataclass(eq=False)
class Prediction:
    """energy (frames,) eV, forces (n, 3) eV/Å, virial (frames, 3, 3) eV, and what was asked for."""

    energy: Tensor
    forces: Tensor
    virial: Tensor
    outputs: dict[str, Tensor]


def collate(frames: Sequence[Frame], cutoff: float, dtype: torch.dtype = torch.float32,
            device: str | torch.device = "cpu") -> Batch:
    """Join frames; each keeps its own pair list from one call to the next."""
    lists = []
    for frame in frames:
        if frame.cache.get("cutoff") != cutoff:
            pairs = build_pairs(frame.positions, frame.cell, cutoff)
            frame.cache.update(cutoff=cutoff, pairs=pairs)
        lists.append((frame.numbers, *frame.cache["pairs"], frame.charge))
    n = sum(map(len, frames))
    weights, forces = np.ones((n, 1)), np.zeros((n, 3))
    cells, virial = np.zeros((len(frames), 3, 3)), np.zeros((len(frames), 3, 3))
    start = 0
    for k, frame in enumerate(frames):
        rows = slice(start, start + len(frame))
        start += len(frame)
        if frame.cell is not None:
            cells[k] = frame.cell
        if frame.virial is not None:
            virial[k] = frame.virial
        if frame.forces is None:
            weights[rows] = 0.0
            continue
        forces[rows] = frame.forces
        if frame.weights is not None:
            weights[rows, 0] = frame.weights

    def put(values, kind=dtype) -> Tensor:
        return torch.as_tensor(np.asarray(values)).to(device=device, dtype=kind)

    return Batch(
        join_systems(lists, device), put(np.concatenate([f.positions for f in frames]),
                                         torch.float64),
        put(cells, torch.float64), put([len(f) for f in frames]),
        put([f.energy or 0.0 for f in frames]),
        put([f.energy is not None and f.weights is None for f in frames]),
        put(forces), put(weights), put(virial), put([f.virial is not None for f in frames]),
        put(_relatives(frames), torch.int64),
    )


def _relatives(frames: Sequence[Frame]) -> np.ndarray:
    """(pairs, 2), see :class:`Batch`."""
    firsts: dict[tuple[str, bytes], int] = {}
    pairs, start = [np.zeros((0, 2), dtype=np.int64)], 0
    for frame in frames:
        if frame.family:
            rows = np.arange(len(frame))
            first = firsts.setdefault(frame.family_of_atoms, start)
            if first < start:
                pairs.append(np.column_stack([first + rows, start + rows]))
        start += len(frame)
    return np.concatenate(pairs)


def predict(model: Model, batch: Batch, create_graph: bool,
            outputs: Sequence[str] = ()) -> Prediction:
    """Energies, forces and virials in eV and Å, from one backward pass to the edge vectors.

    Parameters
    ----------
    create_graph
        Whether a loss of forces will be differentiated by weights.
    outputs
        Names of the model's outputs to return besides, one row per atom, in its own unit.
    """
    if units.length_in_angstrom(model.length_unit) != 1.0:
        raise ModelError(f"model {model.name} counts in {model.length_unit}: train in Å")
    scale = units.energy_in_kcal(model.energy_unit) / units.EV_IN_KCAL
    graph = batch.topology.graph(batch.positions, batch.cells, model.cutoff, model.dtype)
    found: dict[str, Tensor] = {}
    with torch.enable_grad():
        if outputs:
            atoms, found = model.forward_outputs(graph, outputs)
        else:
            atoms = model(graph)
        n = len(batch.sizes)
        energy = atoms.new_zeros(n).index_add(0, graph.system, atoms) * scale
        if create_graph:
            (gradient,) = torch.autograd.grad(energy.sum(), graph.vectors, create_graph=True)
        else:
            gradient = edge_gradient(energy.sum(), graph)
    forces = graph.sum_neighbors(gradient).index_add(0, graph.neighbor, gradient, alpha=-1.0)
    products = (graph.vectors.detach().unsqueeze(2) * gradient.unsqueeze(1)).flatten(1)
    owner = graph.system.index_select(0, graph.receiver)
    virial = gradient.new_zeros(n, 9).index_add(0, owner, products).view(n, 3, 3)
    return Prediction(energy, forces, virial, found)
