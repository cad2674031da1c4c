# SPDX-License-Identifier: MIT
"""Distillation from end to end on a few waters, with the shipped fast model as the accurate one."""

import json

import ase
import ase.io
import h5py
import numpy as np
import pytest
import torch
from helpers.labelled import QUICK, fails_after, write_box

import pyfennix as fx
from pyfennix.distillation import pipeline
from pyfennix.distillation.command import summary
from pyfennix.distillation.data import Supply
from pyfennix.distillation.sampling import Sampler
from pyfennix.distillation.settings import DistillSettings
from pyfennix.distillation.systems import read_system
from pyfennix.exceptions import InputError
from pyfennix.models.evaluate import evaluate
from pyfennix.models.registry import load_model
from pyfennix.training.draw import Draw
from pyfennix.training.settings import OptimizerSettings
from pyfennix.training.store import read_store, write_store


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """A periodic box of eight waters, relaxed a little so that dynamics does not explode."""
    path = tmp_path_factory.mktemp("box") / "water.extxyz"
    write_box(path)
    return path


@pytest.fixture(scope="module")
def distilled(box, tmp_path_factory):
    """A finished distillation of two rounds."""
    folder = tmp_path_factory.mktemp("distilled")
    return folder, fx.distill(box, "water-fast", folder, rounds=2, **QUICK)


def test_it_makes_a_model_and_a_report(distilled):
    folder, facts = distilled
    model = load_model(folder / "fast.fnx")
    assert model.cutoff == 3.5
    assert model.elements == (1, 8)
    assert json.loads((folder / "report.json").read_text()) == facts
    page = (folder / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    for words in ("Errors on test frames", "RMSE of O", "ratio", "suggested outer step"):
        assert words in page
    assert facts["difference"]["atoms_times_steps"] == 24 * 20
    assert sum(facts["difference"]["counts"]) == 24 * 20
    assert 0.5 <= facts["heating"]["suggested_outer_fs"] <= 12.0
    assert any("ratio" in line for line in summary(facts))


def test_it_learns_what_it_is_shown(distilled):
    folder, facts = distilled
    test = read_store(folder / "data1-test.h5")
    forces = np.concatenate([f.forces for f in test])
    untrained = 1e3 * float(np.sqrt((forces**2).mean()))
    assert facts["errors"]["rmse"] < 0.8 * untrained


def test_labels_are_the_accurate_model_s(distilled):
    folder, _ = distilled
    model = load_model("water-fast")
    frames = read_store(folder / "data1-training.h5")
    assert {f.kind for f in frames} == {"md", "stretched", "strained", "contact"}
    families = {f.family for f in frames if f.kind == "md"}
    assert families == {f.family for f in frames if f.kind == "stretched"}
    for frame in frames[::5]:
        wanted = evaluate(model, frame.numbers, frame.positions, frame.cell)
        assert np.allclose(frame.forces * fx.units.EV_IN_KCAL, wanted.forces, atol=2e-3)
        assert np.allclose(frame.virial * fx.units.EV_IN_KCAL, wanted.virial, atol=2e-2)


def test_energies_have_the_accurate_model_s_zero(distilled):
    """Both levels print comparable energies, whatever training took off the labels."""
    folder, _ = distilled
    model, trained = load_model(folder / "fast.fnx"), load_model(folder / "round2" / "model.fnx")
    accurate = load_model("water-fast")
    off, moved = [], []
    for frame in read_store(folder / "data1-test.h5"):
        system = (frame.numbers, frame.positions, frame.cell)
        off.append(evaluate(model, *system).energy - evaluate(accurate, *system).energy)
        moved.append(evaluate(model, *system).energy - evaluate(trained, *system).energy)
    assert abs(np.mean(moved)) > 20.0  # kcal/mol, what was taken off this box
    assert np.abs(off).max() < 0.3 * abs(np.mean(moved))
    assert "distilled from water-fast (" in model.description


def test_no_test_frame_was_trained_on(distilled):
    folder, _ = distilled
    for number in (1, 2):
        training = read_store(folder / f"data{number}-training.h5")
        for frame in read_store(folder / f"data{number}-test.h5"):
            nearest = min(np.abs(f.positions - frame.positions).max() for f in training
                          if f.kind in ("md", "worst"))
            assert nearest > 0.02


def test_the_same_call_does_not_begin_anew(box, distilled, monkeypatch):
    folder, facts = distilled

    def fail(*_args, **_kwargs):
        raise AssertionError("a finished stage was done again")

    monkeypatch.setattr(pipeline, "train", fail)
    monkeypatch.setattr(pipeline, "write_store", fail)
    again = fx.distill(box, "water-fast", folder, rounds=2, **QUICK)
    assert again["errors"] == facts["errors"]


def holes_file(path, frames):
    """NAME.holes.h5 as the engine writes it, as far as a repair reads it."""
    with h5py.File(path, "w") as file:
        group = file.create_group("particles/trajectory")
        group["species"] = frames[0].numbers
        m = len(frames)
        for name, values in (("position/value", [f.positions for f in frames]),
                             ("box/edges/value", [f.cell for f in frames])):
            values = np.array(values)
            group.create_dataset(name, data=values, maxshape=(None, *values.shape[1:]))
        for name in ("step", "time"):
            group.create_dataset(f"position/{name}", data=np.arange(m), maxshape=(None,))
            # every frame is an event of its own: steps are 1 ps apart


def test_a_planted_hole_is_repaired(box, distilled, tmp_path):
    folder, _ = distilled
    rng = np.random.default_rng(0)
    base = [f for f in read_store(folder / "data1-training.h5") if f.kind == "md"]
    far = []
    for frame in base[:8]:  # the whole box squeezed by 12 %, which no training frame was
        moved = frame.moved(-0.12 * frame.positions, "")
        moved.positions += 0.01 * rng.standard_normal(moved.positions.shape)
        moved.cell = 0.88 * frame.cell
        far.append(moved)
    holes_file(tmp_path / "water.holes.h5", far)
    facts = fx.distill(box, "water-fast", tmp_path / "mended", start=str(folder / "fast.fnx"),
                       repair=[str(tmp_path / "water.holes.h5")], rounds=1,
                       trajectory=[str(folder / f"water-accurate-{t}K.h5")
                                   for t in (300, 400)],
                       **QUICK | {"test": 0.0, "steps": 3000, "changes": {}})
    before, after = (facts["repair"][key]["rmse"] for key in ("before", "after"))
    assert after < 0.7 * before
    assert facts["repair"]["before"]["frames"] == 4
    assert "on harvested frames" in (tmp_path / "mended" / "report.html").read_text()


def test_harvested_frames_come_again_and_again(box, distilled, tmp_path):
    """Each time as a unit of its own, or a batch would hold all of them at once."""
    folder, _ = distilled
    frames = read_store(folder / "data1-training.h5")
    holes_file(tmp_path / "water.holes.h5", [f for f in frames if f.kind == "md"][:2])
    model = load_model("water-fast")
    settings = DistillSettings(
        [str(box)], model, tmp_path, repair=[str(tmp_path / "water.holes.h5")],
        trajectory=[str(folder / "water-accurate-300K.h5")], frames=12)
    sampler = Sampler(settings, read_system(str(box)), model, "water")
    learned = Supply(settings, [sampler], model, print).first().training
    units = Draw(learned, OptimizerSettings()).units
    assert max(map(len, units)) == 3  # a frame and two stretched copies
    again = [unit for unit in units if "holes" in unit[0].run]
    assert len(again) == 3 * 5
    assert 0.25 < len(again) / len(units) < 0.4


def test_fragments_stand_for_the_whole(box, distilled, tmp_path):
    folder, _ = distilled
    frames = read_store(folder / "water-accurate-300K.h5")
    write_store(tmp_path / "md.h5", [f.moved(0.0 * f.positions, "md") for f in frames])
    facts = fx.distill(box, "water-fast", tmp_path / "out", trajectory=[str(tmp_path / "md.h5")],
                       fragments=2, inner_radius=2.0, rounds=1, **QUICK | {"test": 0.0})
    final = load_model(tmp_path / "out" / "fast.fnx")
    assert "energies have no zero" in final.description
    found = read_store(tmp_path / "out" / "data1-test.h5")
    assert facts["errors"]["frames"] == len(found) > 0
    torch.set_num_threads(1)
    model = load_model("water-fast")
    for piece in found:
        assert piece.cell is None
        whole = {}
        for frame in frames:
            labels = evaluate(model, frame.numbers, frame.positions, frame.cell).forces
            whole |= {tuple(np.round(f, 2)): f for f in labels}
        for force in piece.forces[piece.weights > 0] * fx.units.EV_IN_KCAL:
            assert min(np.abs(force - other).max() for other in whole.values()) < 5e-3


def test_a_folder_is_gone_on_with_only_as_it_was_begun(box, distilled, tmp_path):
    folder, _ = distilled
    with pytest.raises(InputError, match="was begun with temperatures"):
        fx.distill(box, "water-fast", folder, rounds=2, **QUICK | {"temperatures": [500.0]})
    with pytest.raises(InputError, match="was begun with accurate"):
        fx.distill(box, "water-accurate", folder, rounds=2, **QUICK)
    atoms = ase.io.read(box)
    atoms.set_cell(1.01 * atoms.cell, scale_atoms=True)
    kept = box.read_bytes()
    try:
        ase.io.write(box, atoms)
        with pytest.raises(InputError, match="was begun with other cell vectors of system water"):
            fx.distill(box, "water-fast", folder, rounds=2, **QUICK)
    finally:
        box.write_bytes(kept)


def test_a_test_that_fails_at_once_is_reported(box, distilled, monkeypatch):
    folder, _ = distilled
    fails_after(monkeypatch, 0)
    facts = fx.distill(box, "water-fast", folder, rounds=2, friction=5.0, **QUICK)
    assert facts["run"]["failed"] == "after 0 of 20 steps: not finite"
    page = (folder / "report.html").read_text()
    assert "failed after 0 of 20 steps: not finite.</p>" in page
    assert "difference.png" not in page
    assert not any("largest difference" in line for line in summary(facts))


def test_a_test_that_fails_is_reported(box, distilled, monkeypatch):
    """Hours of training are not lost, and the model is refused."""
    folder, _ = distilled
    fails_after(monkeypatch, 10)
    facts = fx.distill(box, "water-fast", folder, rounds=2, **QUICK)
    assert facts["difference"]["refused"]
    assert facts["run"]["failed"] == "after 10 of 20 steps: not finite"
    assert "spectrum" not in facts
    page = (folder / "report.html").read_text()
    assert "Refused as a default: the two-level run failed after 10 of 20 steps" in page
    assert any("REFUSED as a default: the run failed" in line for line in summary(facts))
