# SPDX-License-Identifier: MIT
"""Errors of a model on labelled frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyfennix.models.interface import Model
from pyfennix.training.batch import collate, predict
from pyfennix.training.frames import Frame


@dataclass
class Errors:
    """Of forces in meV/Å, of energies in meV per atom; NaN where no label is known."""

    frames: int
    force_mae: float
    force_rmse: float
    energy_rmse: float
    virial_rmse: float

    def __str__(self) -> str:
        return (f"force MAE {self.force_mae:.1f} RMSE {self.force_rmse:.1f} meV/Å, "
                f"energy RMSE {self.energy_rmse:.2f} meV/atom")


def measure(model: Model, frames: Sequence[Frame], relative: bool = False,
            batch_atoms: int = 2000) -> Errors:
    """Errors over all frames; ``relative`` leaves out the mean difference of energies per atom.

    Forces count with the frames' weights; the virial is per atom as well.
    """
    forces: list[np.ndarray] = []
    energies, virials = [], []
    device = next(model.parameters()).device
    for group in _groups(frames, batch_atoms):
        batch = collate(group, model.cutoff, model.dtype, device)
        found = predict(model, batch, create_graph=False)
        trusted = batch.weights[:, 0] > 0
        forces.append((found.forces - batch.forces)[trusted].detach().double().cpu().numpy())
        per_atom = ((found.energy - batch.energy) / batch.sizes).detach()
        energies += per_atom[batch.has_energy > 0].double().tolist()
        square = ((found.virial - batch.virial) / batch.sizes.view(-1, 1, 1)).detach() ** 2
        virials += square[batch.has_virial > 0].double().mean(dim=(1, 2)).tolist()
    all_forces = np.concatenate(forces) if forces else np.zeros((0, 3))
    offset = np.mean(energies) if relative and energies else 0.0
    return Errors(
        len(frames), 1e3 * _mean(np.abs(all_forces)), 1e3 * math.sqrt(_mean(all_forces**2)),
        1e3 * math.sqrt(_mean((np.array(energies) - offset) ** 2)),
        1e3 * math.sqrt(_mean(np.array(virials))),
    )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else math.nan


def _groups(frames: Sequence[Frame], atoms: int):
    """Frames in order, as many at once as hold so many atoms."""
    group: list[Frame] = []
    for frame in frames:
        if group and sum(map(len, group)) + len(frame) > atoms:
            yield group
            group = []
        group.append(frame)
    if group:
        yield group


def energy_gap(model: Model, frames: Sequence[Frame]) -> float:
    """Median over frames of (label - model) per atom, eV; 0 where no energy is known."""
    known = [f for f in frames if f.energy is not None and f.weights is None]
    gaps = [(f.energy - predicted_energy(model, f)) / len(f)
            for f in known[:: max(1, len(known) // 30)]]
    return float(np.median(gaps)) if gaps else 0.0


def predicted_energy(model: Model, frame: Frame) -> float:
    """eV."""
    batch = collate([frame], model.cutoff, model.dtype, next(model.parameters()).device)
    return float(predict(model, batch, create_graph=False).energy.detach())
