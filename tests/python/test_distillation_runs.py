# SPDX-License-Identifier: MIT
"""The dynamics of a distillation: where runs start, and what is left of those that fail."""

import numpy as np
import pytest
from helpers.labelled import QUICK, fails_after, water_frames, write_box

import pyfennix as fx
from pyfennix.distillation import sampling
from pyfennix.distillation.sampling import Sampler
from pyfennix.distillation.selection import TRAINING_SHARE
from pyfennix.distillation.settings import DistillSettings
from pyfennix.distillation.systems import read_system
from pyfennix.distillation.testing import two_level_run
from pyfennix.distillation.unchanged import as_begun, refuse_changes
from pyfennix.exceptions import InputError, ModelError
from pyfennix.models.registry import load_model
from pyfennix.training.store import write_store

BEFORE = round(1000 * QUICK["equilibrate"] / DistillSettings.outer)


@pytest.fixture
def sampler(tmp_path):
    """Of a box of eight waters."""
    write_box(tmp_path / "water.extxyz")
    settings = DistillSettings([str(tmp_path / "water.extxyz")], "water-fast", tmp_path, **QUICK)
    model = load_model("water-fast")
    return Sampler(settings, read_system(settings.systems[0]), model, "water")


@pytest.fixture
def steps_seen(monkeypatch):
    """Writes the number of the step into a coordinate of each snapshot."""
    run, take, count = fx.Simulation.run, sampling.snapshot, [0]

    def counting(self, steps, progress=False):
        run(self, steps, progress)
        count[0] += steps

    def marked(*arguments):
        frame = take(*arguments)
        frame.positions[0, 0] = count[0]
        return frame

    monkeypatch.setattr(fx.Simulation, "run", counting)
    monkeypatch.setattr(sampling, "snapshot", marked)


def test_a_run_that_fails_still_gives_its_frames(sampler, monkeypatch, steps_seen):
    """A fast model in its first round may be bad enough to blow up."""
    fails_after(monkeypatch, 60)
    frames = sampler.double(300.0, "water-fast", 2, 20.0)
    met, worst = ([f.positions[0, 0] - BEFORE for f in frames if f.kind == kind]
                  for kind in ("md", "worst"))
    assert 0 < len(met) < 12
    # the worst are of the part that is learned from, or from before
    assert max(worst) <= TRAINING_SHARE * (60 - BEFORE)
    assert BEFORE < len(set(worst)) == len(worst) <= 40


def test_the_worst_of_a_run_are_of_what_is_learned_from(sampler, steps_seen):
    steps = round(1000 * QUICK["sample"] / DistillSettings.outer)
    worst = [f.positions[0, 0] - BEFORE for f in sampler.double(300.0, "water-fast", 2, 20.0)
             if f.kind == "worst"]
    assert len(worst) == 40
    assert min(worst) >= 1
    assert max(worst) <= TRAINING_SHARE * steps


@pytest.mark.parametrize("more", [-2, 1])
def test_a_run_that_fails_while_it_settles_gives_its_worst(sampler, monkeypatch, steps_seen, more):
    """Or soon after."""
    fails_after(monkeypatch, BEFORE + more)
    frames = sampler.double(300.0, "water-fast", 2, 20.0)
    assert {f.kind for f in frames} == {"worst"}
    steps = min(BEFORE, BEFORE + more)
    assert sorted(f.positions[0, 0] for f in frames) == list(range(1, steps + 1))


def test_a_run_that_fails_at_once_says_so(sampler, monkeypatch):
    fails_after(monkeypatch, 0)
    with pytest.raises(ModelError, match="not finite"):
        sampler.double(300.0, "water-fast", 2, 20.0)


def test_runs_start_from_what_is_learned_of_the_first_trajectory(sampler, tmp_path):
    for name in ("cold", "hot"):
        frames = water_frames(40)[::2]  # the periodic ones
        for k, frame in enumerate(frames):
            frame.run = name
            frame.positions[0, 0] = 100 * (name == "hot") + k
        write_store(tmp_path / f"{name}.h5", frames)
    sampler.settings.trajectory = [str(tmp_path / f"{name}.h5") for name in ("cold", "hot")]
    assert sampler.start().positions[0, 0] == 13  # of 20, the last of seven tenths
    assert not sampler.is_settled


def test_a_start_from_elsewhere_settles_before_it_counts(sampler, monkeypatch, steps_seen):
    calls, run = [], fx.Simulation.run
    monkeypatch.setattr(fx.Simulation, "run", lambda self, n: calls.append(n) or run(self, n))
    histogram, facts = two_level_run(sampler, "water-fast")
    assert calls == [BEFORE] + [1] * 20
    assert histogram.total == 20 * 24
    assert facts["steps"] == 20
    assert sampler.settled("water-fast") is sampler.settled("water-fast")


def test_a_start_that_does_not_settle_is_told(sampler, monkeypatch):
    fails_after(monkeypatch, 0)
    _, facts = two_level_run(sampler, "water-fast")
    assert facts["failed"] == "while its start settled: not finite"
    assert facts["steps"] == 0


def test_what_cannot_be_begun_is_no_result(sampler):
    sampler.settings.outer, sampler.settings.substeps = 3.0, 0
    with pytest.raises(InputError):
        two_level_run(sampler, "water-fast")


def test_the_start_of_a_system_is_kept(sampler, tmp_path, capsys):
    """A run of the engine may leave a NAME.dyn, which goes before NAME.xyz."""
    moved = sampler.atoms.copy()
    moved.positions += 0.1
    as_begun(tmp_path, "w", moved)
    first = as_begun(tmp_path, "w", sampler.atoms)  # mended before anything was done
    assert np.array_equal(first.positions, sampler.atoms.positions)
    (tmp_path / "w-accurate-300K.h5").touch()
    assert "going on" not in capsys.readouterr().out
    again = as_begun(tmp_path, "w", moved)
    assert "going on from the positions of w" in capsys.readouterr().out
    assert np.array_equal(again.positions, first.positions)
    assert np.array_equal(again.get_masses(), first.get_masses())
    for what, change in (("masses", lambda a: a.set_masses([2.0] * len(a))),
                         ("cell vectors", lambda a: a.set_cell(1.01 * a.cell)),
                         ("boundaries", lambda a: a.set_pbc(False)),
                         ("charge", lambda a: a.info.update(charge=1.0)),
                         ("atoms", lambda a: a.pop())):
        other = sampler.atoms.copy()
        change(other)
        with pytest.raises(InputError, match=f"other {what} of system w"):
            as_begun(tmp_path, "w", other)


def test_a_folder_of_trajectories_may_hold_an_at_sign(tmp_path):
    folder = tmp_path / "me@lab"
    folder.mkdir()
    write_store(folder / "a.h5", water_frames(2))
    model = load_model("water-fast")
    for k, name in enumerate((str(folder / "a.h5"), f"{folder / 'a.h5'}@:1")):
        (tmp_path / f"out{k}").mkdir()
        refuse_changes(DistillSettings(["w"], model, tmp_path / f"out{k}", trajectory=[name]),
                       model)
    with pytest.raises(InputError, match=r"b\.h5: cannot be read"):
        refuse_changes(DistillSettings(["w"], model, tmp_path,
                                       trajectory=[str(folder / "b.h5")]), model)
