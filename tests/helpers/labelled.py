# SPDX-License-Identifier: MIT
"""Labelled frames of water made from nothing: the labels are the shipped fast model's."""

from __future__ import annotations

from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest

import pyfennix as fx
from helpers.waters import cubic, waters
from pyfennix.models.evaluate import evaluate
from pyfennix.models.registry import load_model
from pyfennix.training.frames import Frame
from pyfennix.training.settings import TrainSettings
from pyfennix.training.store import write_store
from pyfennix.training.teacher import label

SMALL = {"fast": {"channels": [4, 3, 2], "neurons": [16]},
         "accurate": {"dim": 16, "update": [16, 16], "species": [8, 16], "head": [16]},
         "raster-fast": {"dim": 16, "update": [16, 16], "species": [8, 16], "head": [16]}}

# a distillation of half a minute
QUICK = {"temperatures": [300.0, 400.0], "equilibrate": 0.02, "sample": 0.4, "steps": 500,
         "frames": 12, "test": 0.06, "threads": 1, "batch_atoms": 96,
         "changes": {"channels": [6, 4, 3], "neurons": [16]}}


def water_frames(number: int = 6, labelled: bool = True) -> list[Frame]:
    """Alternately periodic and isolated frames of eight waters, two of each run."""
    frames = []
    for k in range(number):
        numbers, positions = waters(cubic(8), (2, 2, 2), k)
        frames.append(Frame(numbers, positions, None if k % 2 else cubic(8), run=f"run{k // 2}"))
    if labelled:
        label(load_model("water-fast"), frames)
    return frames


def settings_for(tmp_path, **optimizer) -> TrainSettings:
    """A small training on a file of labelled waters."""
    settings = TrainSettings()
    path = tmp_path / "frames.h5"
    if not path.exists():
        write_store(path, water_frames(8))
    settings.data.train = [str(path)]
    settings.data.held_out = 0.25
    settings.model.changes = SMALL["fast"]
    settings.optimizer.steps, settings.optimizer.warmup = 30, 5
    settings.optimizer.batch_atoms = 48
    for key, value in optimizer.items():
        setattr(settings.optimizer, key, value)
    settings.run.check_every, settings.run.threads = 10, 1
    return settings


def write_box(path: Path) -> None:
    """A periodic box of eight waters, relaxed a little so that dynamics does not explode."""
    numbers, positions = waters(cubic(8), (2, 2, 2), 1)
    model = load_model("water-fast")
    for _ in range(150):
        forces = evaluate(model, numbers, positions, cubic(8)).forces
        positions = positions + np.clip(1e-3 * forces, -0.02, 0.02)
    ase.io.write(path, ase.Atoms(numbers, positions, cell=cubic(8), pbc=True))


def fails_after(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let every run fail after so many calls in all."""
    run, count = fx.Simulation.run, []

    def failing(self, steps, progress=False):
        count.append(steps)
        if len(count) > number:
            raise fx.ModelError("not finite")
        run(self, steps, progress)

    monkeypatch.setattr(fx.Simulation, "run", failing)
