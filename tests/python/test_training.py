# SPDX-License-Identifier: MIT
"""The training engine: derivatives, learning, exact resume after kills, files, mistakes."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from helpers.labelled import SMALL, settings_for, water_frames

from pyfennix.exceptions import InputError, ModelError
from pyfennix.models.evaluate import evaluate
from pyfennix.models.fnx.checkpoint import load_fnx
from pyfennix.models.registry import load_model
from pyfennix.training import trainer as engine
from pyfennix.training.batch import collate, predict
from pyfennix.training.draw import Draw
from pyfennix.training.errors import measure
from pyfennix.training.frames import Frame
from pyfennix.training.losses import total_loss
from pyfennix.training.settings import LossSettings, OptimizerSettings
from pyfennix.training.shapes import SHAPES, make_model
from pyfennix.training.store import write_store
from pyfennix.units import EV_IN_KCAL


def test_a_batch_is_its_frames():
    model, frames = load_model("water-fast"), water_frames(4)
    found = predict(model, collate(frames, model.cutoff), create_graph=False)
    start = 0
    for k, frame in enumerate(frames):
        alone = evaluate(model, frame.numbers, frame.positions, frame.cell)
        part = found.forces[start : start + len(frame)].detach().numpy() * EV_IN_KCAL
        assert np.abs(part - alone.forces).max() < 1e-3
        assert float(found.energy[k].detach()) * EV_IN_KCAL == pytest.approx(alone.energy, abs=1e-2)
        if frame.cell is not None:
            virial = found.virial[k].detach().numpy() * EV_IN_KCAL
            assert np.abs(virial - alone.virial).max() < 1e-2
        start += len(frame)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_of_the_loss_is_its_derivative(shape):
    """By finite differences along a random direction of all weights, in float64."""
    torch.manual_seed(0)
    model = make_model(shape, (1, 8), SMALL[shape]).double()
    model.fennol_exact = False  # which rounds exponents of switches to float32
    frames = water_frames(2)
    frames[1].weights = np.linspace(0.0, 1.0, len(frames[1]))
    batch = collate(frames, model.cutoff, torch.float64)
    weights = LossSettings(force_scale=5.0, energy_scale=5.0)

    def loss() -> torch.Tensor:
        return total_loss(predict(model, batch, create_graph=True), batch, weights)

    parameters = list(model.parameters())
    gradient = torch.autograd.grad(loss(), parameters, allow_unused=True)
    direction = [torch.randn_like(p) for p in parameters]
    slope = sum((g * d).sum() for g, d in zip(gradient, direction, strict=True) if g is not None)
    values = []
    for step in (1e-5, -1e-5):
        with torch.no_grad():
            for p, d in zip(parameters, direction, strict=True):
                p += step * d
        values.append(float(loss().detach()))
        with torch.no_grad():
            for p, d in zip(parameters, direction, strict=True):
                p -= step * d
    assert float(slope) == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-4)


def test_a_force_without_weight_does_not_count():
    model, frames = load_model("water-fast"), water_frames(2)
    frames[0].forces = frames[0].forces.copy()
    frames[0].forces[3] += 1e6
    frames[0].weights = np.ones(len(frames[0]))
    frames[0].weights[3] = 0.0
    assert measure(model, frames).force_mae < 1e-2
    batch = collate(frames, model.cutoff)
    loss = total_loss(predict(model, batch, create_graph=False), batch, LossSettings())
    assert float(loss.detach()) < 1e-4


def test_unknown_labels_count_nothing(tmp_path):
    frames = water_frames(8)
    for frame in frames:
        frame.energy = frame.virial = None
    write_store(tmp_path / "frames.h5", frames)
    trainer = engine.train(settings_for(tmp_path, steps=20), tmp_path / "run", quiet=True)
    assert np.isfinite(trainer.history[-1]["loss"])
    assert np.isnan(trainer.history[-1]["energy_rmse"])


@pytest.mark.parametrize("shape", SHAPES)
def test_it_learns(tmp_path, shape):
    settings = settings_for(tmp_path, steps=60, learning_rate=1e-2)
    settings.model.shape, settings.model.changes = shape, SMALL[shape]
    trainer = engine.train(settings, tmp_path / "run", quiet=True)
    first, last = trainer.history[0], trainer.history[-1]
    assert last["loss"] < 0.8 * first["loss"]
    model = load_fnx(tmp_path / "run" / "model.fnx")
    assert model.elements == (1, 8)
    best = min(row["force_rmse"] for row in trainer.history)
    found = measure(model, trainer.data.validation).force_rmse
    assert found == pytest.approx(best, rel=1e-3)
    rows = list(csv.DictReader((tmp_path / "run" / "curves.csv").open()))
    assert [int(float(row["step"])) for row in rows] == [10, 20, 30, 40, 50, 60]
    assert (tmp_path / "run" / "curves.png").stat().st_size > 1000


def test_an_ensemble_is_trained_with_its_members(tmp_path):
    settings = settings_for(tmp_path, steps=20)
    settings.model.shape = "raster-fast"
    settings.model.changes = SMALL["raster-fast"] | {"members": 4}
    settings.loss.members = 1.0
    engine.train(settings, tmp_path / "run", quiet=True)
    model = load_model(tmp_path / "run" / "model.fnx")
    numbers, positions = (water_frames(1)[0].numbers, water_frames(1)[0].positions)
    assert evaluate(model, numbers, positions, spread=True).spread > 0.0


CHILD = """
import sys, time
from pathlib import Path
sys.path[:0] = {path!r}
from pyfennix.training import trainer as engine
from helpers.labelled import settings_for
folder = Path(sys.argv[1])
update = engine.Trainer.update
def slow(self):
    update(self)
    time.sleep(0.02)
engine.Trainer.update = slow
engine.train(settings_for(folder.parent, steps=60), folder, "--resume" in sys.argv, quiet=True)
"""


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    whole = engine.train(settings_for(tmp_path, steps=60), tmp_path / "whole", quiet=True)
    here = os.path.dirname(__file__)
    child = tmp_path / "child.py"
    child.write_text(CHILD.format(path=[here, os.path.dirname(here)]))
    rng, kills, words = np.random.default_rng(), 0, []
    for _ in range(60):
        process = subprocess.Popen([sys.executable, child, tmp_path / "killed", *words],
                                   cwd=tmp_path)
        checkpoint = tmp_path / "killed" / "checkpoint.pt"
        while process.poll() is None and not checkpoint.exists():
            time.sleep(0.01)
        if kills < 3 and process.poll() is None:
            time.sleep(rng.uniform(0.0, 0.3) if words == [] else rng.uniform(2.0, 3.5))
        if kills < 3 and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        status = process.wait()
        words = ["--resume"]
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert status == 0
    assert kills > 0
    states = [torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)
              for name in ("whole", "killed")]
    assert states[0]["step"] == states[1]["step"] == 60
    for part in ("model", "average"):
        for key, value in states[0][part].items():
            assert torch.equal(value, states[1][part][key]), key
    files = [(tmp_path / name / "model.fnx").read_bytes() for name in ("whole", "killed")]
    assert files[0] == files[1]
    rows = [[row["step"] for row in state["history"]] for state in states]
    assert rows[0] == rows[1]
    assert whole.step == 60


def test_a_folder_is_not_overwritten(tmp_path):
    engine.train(settings_for(tmp_path, steps=10), tmp_path / "run", quiet=True)
    with pytest.raises(InputError, match="a training was begun here"):
        engine.train(settings_for(tmp_path, steps=10), tmp_path / "run", quiet=True)
    with pytest.raises(InputError, match="was made with learning_rate"):
        engine.train(settings_for(tmp_path, steps=10, learning_rate=1e-4), tmp_path / "run",
                     resume=True, quiet=True)
    with pytest.raises(InputError, match="no checkpoint to resume from"):
        engine.train(settings_for(tmp_path), tmp_path / "other", resume=True, quiet=True)


def test_a_loss_that_is_no_number_ends_it(tmp_path):
    frames = water_frames(8)
    frames[0].energy = 1e300
    write_store(tmp_path / "frames.h5", frames)
    settings = settings_for(tmp_path)
    settings.data.references = {"H": 0.0, "O": 0.0}
    settings.data.held_out = 0.0
    with pytest.raises(ModelError, match="not finite"):
        engine.train(settings, tmp_path / "run", quiet=True)


def test_it_stops_early(tmp_path, capsys):
    settings = settings_for(tmp_path, steps=200, learning_rate=1e-9, average=0.0)
    settings.run.patience = 2
    trainer = engine.train(settings, tmp_path / "run", quiet=True)
    assert trainer.step < 200
    assert "stopped early" in capsys.readouterr().out


@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_fine_tuning_needs_no_common_zero_of_energy(tmp_path, offset):
    """Labels of another program differ by a constant per atom; the weights need not move for it."""
    engine.train(settings_for(tmp_path, steps=300, learning_rate=1e-2), tmp_path / "first",
                 quiet=True)
    frames = water_frames(8)
    for frame in frames:
        frame.energy += offset * len(frame)
    write_store(tmp_path / "frames.h5", frames)
    again = settings_for(tmp_path, steps=20, learning_rate=1e-4)
    again.model.start, again.model.changes = str(tmp_path / "first" / "model.fnx"), {}
    trainer = engine.train(again, tmp_path / "second", quiet=True)
    first = torch.load(tmp_path / "first" / "checkpoint.pt", weights_only=True)["history"][-1]
    assert trainer.history[-1]["force_rmse"] < 1.1 * first["force_rmse"]
    assert trainer.history[-1]["energy_rmse"] < 2.0 * first["energy_rmse"] + 1.0


def test_a_teacher_is_asked_again_without_resume(tmp_path):
    settings = settings_for(tmp_path, steps=10)
    settings.teacher.model = "water-fast"
    engine.train(settings, tmp_path / "run", quiet=True)
    (tmp_path / "run" / "checkpoint.pt").unlink()
    write_store(tmp_path / "frames.h5", water_frames(4, labelled=False))
    settings.data.held_out = 0.5
    trainer = engine.train(settings, tmp_path / "run", quiet=True)
    assert len(trainer.data.training) + len(trainer.data.validation) == 4


def test_families_are_drawn_together_and_their_change_counts(tmp_path):

    frames = water_frames(6)
    for frame in frames[:4:2]:
        frame.family = "a"
    frames[5].family = "b"
    draw = Draw(frames, OptimizerSettings(batch_atoms=24))
    seen = [draw.take() for _ in range(5)]
    assert sorted(len(group) for group in seen) == [1, 1, 1, 1, 2]
    assert {id(f) for group in seen for f in group} == set(map(id, frames))
    pair = next(group for group in seen if len(group) == 2)
    batch = collate(pair, 3.5)
    assert batch.relatives.tolist() == [[k, k + 24] for k in range(24)]
    # the same name with other atoms is no relative
    other = Frame(frames[0].numbers[::-1].copy(), frames[0].positions, family="a")
    assert len(collate([frames[0], other], 3.5).relatives) == 0
    # an error that both share does not change, one of a single frame does
    found = predict(load_model("water-fast"), batch, create_graph=False)
    weights = LossSettings(forces=0.0, energy=0.0, virial=0.0, change=1.0)
    found.forces = batch.forces + 0.3
    assert float(total_loss(found, batch, weights).detach()) < 1e-6
    found.forces[24:] += 0.1
    assert float(total_loss(found, batch, weights).detach()) == pytest.approx(0.1 - 0.025, rel=1e-3)
