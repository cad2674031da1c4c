# SPDX-License-Identifier: MIT
"""The training of the shipped models: batches, labels of a teacher, checkpoints."""

import sys

import numpy as np
import pytest
import torch
from helpers.shared import shared
from helpers.waters import cubic, waters

from pyfennix import units
from pyfennix.models.evaluate import evaluate
from pyfennix.models.registry import load_model
from pyfennix.weights import train_water
from pyfennix.weights.water_data import (
    Frame,
    collate,
    load_frames,
    perturbed,
    predict,
    split_by_run,
)


def frames():
    """A periodic and an isolated frame of water with labels of zero."""
    made = []
    for seed, cell in ((1, cubic(8)), (2, None)):
        numbers, positions = waters(cubic(8), (2, 2, 2), seed)
        made.append(Frame(numbers, torch.tensor(positions),
                          None if cell is None else torch.tensor(cell), 0.0,
                          torch.zeros(len(numbers), 3),
                          None if cell is None else torch.zeros(3, 3), f"run{seed}"))
    return made


def arguments(monkeypatch, tmp_path, *more):
    monkeypatch.setattr(sys, "argv", ["train", "fast", "--data", "unused", "--out", str(tmp_path),
                                      "--minutes", "1", *more])
    return train_water.parse()


def test_a_batch_is_its_frames():
    model = load_model("water-fast")
    both = frames()
    energy, forces, virials = predict(model, collate(both, model.cutoff), create_graph=False)
    start = 0
    for k, frame in enumerate(both):
        cell = None if frame.cell is None else frame.cell.numpy()
        alone = evaluate(model, frame.numbers, frame.positions.numpy(), cell)
        part = forces[start : start + frame.n].detach().numpy() * units.EV_IN_KCAL
        assert np.abs(part - alone.forces).max() < 1e-3
        assert float(energy[k].detach()) * units.EV_IN_KCAL == pytest.approx(alone.energy, abs=1e-2)
        if virials[k] is not None:
            virial = virials[k].detach().numpy() * units.EV_IN_KCAL
            assert np.abs(virial - alone.virial).max() < 1e-2
        start += frame.n


def test_a_teacher_labels():
    teacher, both = load_model("water-fast"), frames()
    train_water.relabel(teacher, both)
    errors = train_water.errors(teacher, both)
    assert errors["mae"] < 1e-3
    moved = perturbed(both[0], 0.05, torch.Generator().manual_seed(0))
    assert 0.02 < float((moved.positions - both[0].positions).std()) < 0.08
    assert train_water.errors(teacher, [moved])["mae"] > 10.0


def test_training_learns_and_resumes_where_it_was(monkeypatch, tmp_path):
    torch.manual_seed(0)
    both = frames()
    train_water.relabel(load_model("water-fast"), both)
    trainer = train_water.Trainer(arguments(monkeypatch, tmp_path, "--warmup", "5"))
    losses = [trainer.update(both)[0] for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    trainer.used = 12.5
    trainer.save()
    again = train_water.Trainer(arguments(monkeypatch, tmp_path, "--warmup", "5"))
    again.resume()
    assert (again.step, again.used) == (40, 12.5)
    assert trainer.update(both) == again.update(both)
    exported = load_model(tmp_path / "water-fast.fnx")
    assert exported.elements == (1, 8)


def test_whole_runs_are_held_out():
    every = load_frames(shared("data"))
    training, held = split_by_run(every, 0.1, seed=0)
    assert len(training) + len(held) == len(every) > 2500
    assert not {f.run for f in training} & {f.run for f in held}
    assert max(float(f.forces.norm(dim=1).max()) for f in every) < 30.0
