# SPDX-License-Identifier: MIT
"""Frames and batches for training the shipped water models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor

from pyfennix.models.graph import Graph, Topology
from pyfennix.models.interface import Model
from pyfennix.models.pairs import build_pairs

FILES = ("so3lr_water.h5", "so3lr_clusters.h5")
# Frames with larger forces (eV/Å) are deliberate contacts far outside any dynamics.
MAX_FORCE = 30.0


@dataclass
class Frame:
    """One labelled geometry: Å, eV, eV/Å; ``energy`` is relative to the atomic references."""

    numbers: np.ndarray
    positions: Tensor
    cell: Tensor | None
    energy: float
    forces: Tensor
    virial: Tensor | None
    run: str
    pairs: tuple | None = None

    @property
    def n(self) -> int:
        """Number of atoms."""
        return len(self.numbers)


@dataclass
class Batch:
    """Several frames as one graph; ``system`` (n,) is each atom's frame."""

    graph: Graph
    system: Tensor
    edge_bounds: list[int]
    frames: list[Frame]


def load_frames(folder: str | Path) -> list[Frame]:
    """All usable frames of the two water files, in file order."""
    frames = []
    for name in FILES:
        with h5py.File(Path(folder) / name) as file:
            reference = dict(zip(file["atomic_reference_numbers"][()].tolist(),
                                 file["atomic_reference"][()].tolist(), strict=True))
            for key, group in file.items():
                if isinstance(group, h5py.Group):
                    frames += _read_group(f"{name}:{key}", group, reference)
    return frames


def _read_group(key: str, group: h5py.Group, reference: dict[int, float]) -> list[Frame]:
    numbers = group["atomic_numbers"][()].astype(np.int64)
    shift = sum(reference[int(z)] for z in numbers)
    positions, forces = group["positions"][()], group["forces"][()]
    energy, runs = group["energy"][()], group["run_id"][()]
    cell = group["cell"][()] if "cell" in group else None
    virial = group["virial"][()] if "virial" in group else None
    keep = np.flatnonzero(np.linalg.norm(forces, axis=2).max(axis=1) < MAX_FORCE)
    return [
        Frame(
            numbers=numbers,
            positions=torch.tensor(positions[i], dtype=torch.float64),
            cell=None if cell is None else torch.tensor(cell[i], dtype=torch.float64),
            energy=float(energy[i] - shift),
            forces=torch.tensor(forces[i]),
            virial=None if virial is None else torch.tensor(virial[i], dtype=torch.float32),
            run=f"{key}:{runs[i].decode()}",
        )
        for i in keep
    ]


def split_by_run(frames: list[Frame], fraction: float, seed: int) -> tuple[list, list]:
    """(training, validation): whole runs are drawn, never single frames."""
    runs = sorted({frame.run for frame in frames})
    order = np.random.default_rng(seed).permutation(len(runs))
    held = {runs[i] for i in order[: round(fraction * len(runs))]}
    return [f for f in frames if f.run not in held], [f for f in frames if f.run in held]


def perturbed(frame: Frame, sigma: float, generator: torch.Generator) -> Frame:
    """The same frame with every atom displaced at random; its labels are stale."""
    noise = torch.randn(frame.positions.shape, generator=generator, dtype=torch.float64)
    return _moved(frame, sigma * noise)


def stretched(frame: Frame, sigma: float, generator: torch.Generator) -> Frame:
    """The same frame with every O-H bond stretched at random; its labels are stale.

    Water comes as O H H, O H H ... with whole molecules (see the data's description).
    """
    positions = frame.positions.view(-1, 3, 3)
    bonds = positions[:, 1:] - positions[:, :1]
    lengths = sigma * torch.randn(bonds.shape[:2], generator=generator, dtype=torch.float64)
    move = torch.zeros_like(positions)
    move[:, 1:] = bonds / bonds.norm(dim=-1, keepdim=True) * lengths.unsqueeze(-1)
    return _moved(frame, move.view(-1, 3))


def _moved(frame: Frame, move: Tensor) -> Frame:
    return Frame(frame.numbers, frame.positions + move, frame.cell, frame.energy, frame.forces,
                 frame.virial, frame.run)


def collate(frames: list[Frame], cutoff: float, needs_grad: bool = True) -> Batch:
    """Concatenate frames into one graph of float32 edge vectors; pair lists are kept per frame."""
    firsts, neighbors, vectors = [np.zeros(1, dtype=np.int64)], [], []
    bounds, start, edges = [0], 0, 0
    for frame in frames:
        if frame.pairs is None or frame.pairs[0] != cutoff:
            cell = None if frame.cell is None else frame.cell.numpy()
            frame.pairs = (cutoff, *build_pairs(frame.positions.numpy(), cell, cutoff))
        _, first, neighbor, shift = frame.pairs
        topology = Topology.from_csr(frame.numbers, first, neighbor, shift, frame.n, frame.n,
                                     frame.n)
        vectors.append(topology.edge_vectors(frame.positions, frame.cell).T.float())
        firsts.append(first[1:] + edges)
        neighbors.append(neighbor + start)
        start, edges = start + frame.n, edges + len(neighbor)
        bounds.append(edges)
    first, neighbor = np.concatenate(firsts), np.concatenate(neighbors)
    numbers = np.concatenate([f.numbers for f in frames])
    topology = Topology.from_csr(numbers, first, neighbor, np.zeros((edges, 3)), start, start,
                                 start, {1: 2, 8: 1})
    graph = Graph(topology, torch.cat(vectors).requires_grad_(needs_grad), topology.receiver,
                  topology.neighbor, topology.first)
    counts = torch.tensor([f.n for f in frames])
    return Batch(graph, torch.repeat_interleave(counts), bounds, frames)


def predict(model: Model, batch: Batch, create_graph: bool) -> tuple[Tensor, Tensor, list]:
    """Energies (frames,), forces (n, 3) and the virial (3, 3) of each periodic frame."""
    graph = batch.graph
    atoms = model(graph)
    energy = atoms.new_zeros(len(batch.frames)).index_add(0, batch.system, atoms)
    (gradient,) = torch.autograd.grad(atoms.sum(), graph.vectors, create_graph=create_graph)
    forces = graph.sum_neighbors(gradient).index_add(0, graph.neighbor, gradient, alpha=-1.0)
    virials = [
        graph.vectors[a:b].T @ gradient[a:b] if frame.virial is not None else None
        for frame, a, b in zip(batch.frames, batch.edge_bounds, batch.edge_bounds[1:], strict=False)
    ]
    return energy, forces, virials
