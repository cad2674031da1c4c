# SPDX-License-Identifier: MIT
"""pyfennix.Simulation beside its keyfile, signals, other ends of a run, and failures half-way."""

import os
import signal
import subprocess
import sys
import threading
import warnings

import h5py
import numpy as np
import pytest
from helpers.hydrogens import ACCURATE, KEY, hydrogens, make, two_levels
from helpers.runs import MODELS, environment, small_case, write_xyz

import pyfennix as fx

TERMINATED = f"""\
import os, signal, sys, threading
sys.path[:0] = {[str(MODELS.parent)]!r}
from helpers.hydrogens import two_levels
sim = two_levels(output="out", keywords={{"dump": 0.001, "checkpoint-every": 10**9}})
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
sim.run(10_000_000)
"""


def test_a_terminated_run_leaves_whole_files(tmp_path, monkeypatch):
    found = subprocess.run([sys.executable, "-c", TERMINATED], cwd=tmp_path, env=environment(),
                           capture_output=True, text=True, timeout=100, check=False)
    assert found.returncode == -signal.SIGTERM, found.stderr
    with h5py.File(tmp_path / "out.h5") as file:  # opens only when it was closed
        frames = len(file["particles/trajectory/position/step"])
    monkeypatch.chdir(tmp_path)
    with two_levels(output="out", resume=True) as sim:
        assert sim.step == frames > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_handled_signal_comes_after_the_checkpoint(tmp_path, monkeypatch, number):
    monkeypatch.chdir(tmp_path)

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        with two_levels(output="out", keywords={"checkpoint-every": 10**9}) as sim:
            threading.Timer(0.3, os.kill, (os.getpid(), number)).start()
            with pytest.raises(KeyboardInterrupt):
                sim.run(10_000_000)
            done = sim.step
            assert done > 0
            assert f"step {done} " in (tmp_path / "out.dyn").read_text().replace("\n", " ")
            sim.run(1)
    finally:
        signal.signal(number, before)


def test_name_end_ends_runs_frames_and_progress(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with two_levels(output="out") as sim:
        for frame in sim.trajectory(20, every=2):
            if frame.step == 4:
                (tmp_path / "out.end").touch()
        assert sim.step == 4
        assert sim.stop_reason == "out.end"
        (tmp_path / "out.end").touch()
        sim.run(400, progress=True)
        assert sim.step == 4
        text = capsys.readouterr().err
        assert "stopped by out.end" in text
        assert "100 %" not in text
        sim.run(2)
        assert (sim.step, sim.stop_reason) == (6, "")


def test_relative_models_are_beside_the_keyfile(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    small_case(tmp_path / "sub")
    key = tmp_path / "sub/case.key"
    with fx.Simulation("sub/case.key", temperature=50.0) as sim:
        sim.run(1)
    with pytest.raises(fx.InputError, match=r"^keywords, line 1: keyword 'temperature'"):
        fx.Simulation("sub/case.key", temperature=-1.0)
    key.write_text(key.read_text() + "frction 1.0\n")
    n = key.read_text().count("\n")
    with pytest.raises(fx.InputError, match=rf"^sub/case\.key, line {n}: .*frction"):
        fx.Simulation("sub/case.key", temperature=50.0)
    key.write_text("ml-model nothing.fnx\n")
    with pytest.raises(fx.FennixError, match=r"^sub/case\.key, line 1: .*nothing\.fnx"):
        fx.Simulation("sub/case.key", temperature=50.0)
    key.write_text("timestep 1.0")
    with pytest.raises(fx.InputError, match=r"^sub/case\.key: keyword 'ml-model' is missing"):
        fx.Simulation("sub/case.key", temperature=50.0)


@pytest.fixture
def keyed(tmp_path, monkeypatch):
    """h2.key and h2.xyz in an empty folder."""
    monkeypatch.chdir(tmp_path)
    atoms = hydrogens()
    write_xyz(tmp_path / "h2.xyz", atoms.numbers, atoms.positions)
    (tmp_path / "h2.key").write_text(KEY.replace("timestep 1.0", "TimeStep  3.0"))
    return tmp_path


def test_substeps_divide_the_time_step_of_the_keyfile(keyed):
    with fx.Simulation("h2.key", substeps=3) as sim:
        sim.run(1)
        assert sim.time == pytest.approx(0.003)
        assert sim._engine.counters()["inner_step"] == 3
    with fx.Simulation("h2.key", substeps=4, keywords={"timestep": 2.0}) as sim:
        sim.run(1)
        assert sim._engine.counters()["inner_step"] == 4


def test_another_name_begins_new_files(keyed):
    with fx.Simulation("h2.key", output="run", keywords={"dump": 0.003}) as sim:
        sim.run(2)
    with fx.Simulation("h2.key", output="./h2", keywords={"dump": 0.003}) as sim:
        sim.run(3)
        velocities = sim.velocities
    with pytest.warns(UserWarning, match=r"^Continuing from h2\.dyn"):
        sim = fx.Simulation("h2.key", output="run", keywords={"dump": 0.003})
    np.testing.assert_allclose(sim.velocities, velocities, rtol=1e-9)
    with sim:
        assert sim.step == 3
        sim.run(1)
    lengths = []
    for name in ("run.h5.1", "run.h5"):
        with h5py.File(name) as file:
            lengths.append(len(file["particles/trajectory/position/step"]))
    assert lengths == [2, 1]
    assert os.path.exists("run.arc.1")
    with pytest.warns(UserWarning, match="Continuing"):
        sim = fx.Simulation("h2.key", output=keyed / "h2", keywords={"dump": 0.003})
    with sim:
        sim.run(1)
    with h5py.File("h2.h5") as file:  # the keyfile's own name is continued
        assert len(file["particles/trajectory/position/step"]) == 4


def test_notes_are_warnings(keyed):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fx.Simulation("h2.key", temperature=40.0).close()  # options go before the file silently
    with open("h2.key", "a") as file:
        file.write("vdw-cutoff 9.0\npressure 2.0\nml-precision float64\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fx.Simulation("h2.key", charge=1.0).close()
    texts = [str(one.message) for one in caught if one.category is UserWarning]
    assert all(one.filename == __file__ for one in caught)
    assert len(texts) == 5
    for words in ("h2.key: these keywords of Tinker", "h2.key, line 12: keyword 'pressure'",
                  "was given before (h2.key, line 8)", "Fast, 0 parameters"):
        assert sum(words in text for text in texts) == 1, texts


def test_temperature_follows_velocities():
    with two_levels() as sim:
        sim.run(2)
        assert sim.temperature > 0.0
        sim.velocities = np.zeros((54, 3))
        assert sim.temperature == 0.0
        assert sim.observables["temperature_mid_H"] == 0.0


@pytest.mark.parametrize("faulty", ["accurate", "fast"])
def test_positions_that_fail_change_nothing(faulty):
    models = {"accurate": fx.load_model(ACCURATE, dtype="float64")}
    models["fast"] = fx.load_model(ACCURATE.replace("Accurate", "Fast"), dtype="float64")
    kind = type(models[faulty])

    class Sensitive(kind):
        def forward(self, graph):
            if float(graph.distances.detach().min()) < 0.3:
                raise ValueError("too close")
            return super().forward(graph)

    models[faulty] = Sensitive()
    with make(**models, dt=1.0, substeps=2) as sim, two_levels() as other:
        sim.run(2)
        other.run(2)
        before = sim.frame(), sim.forces_fast, sim.virial
        moved = sim.positions
        moved[1] = moved[0] + [0.2, 0.0, 0.0]
        with pytest.raises(fx.FennixError, match="too close"):
            sim.positions = moved
        after = sim.frame(), sim.forces_fast, sim.virial
        for name in ("positions", "velocities", "forces"):
            np.testing.assert_array_equal(getattr(before[0], name), getattr(after[0], name))
        np.testing.assert_array_equal(before[1], after[1])
        np.testing.assert_array_equal(before[2], after[2])
        assert before[0].observables == after[0].observables
        sim.run(3)
        other.run(3)
        np.testing.assert_array_equal(sim.positions, other.positions)
