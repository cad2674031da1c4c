# SPDX-License-Identifier: MIT
"""pyfennix.Simulation: what it takes, gives and refuses, and that it leaves no trace."""

import os
import shutil
import signal
import threading

import ase
import ase.units
import h5py
import numpy as np
import pytest
import torch
from helpers.hydrogens import ACCURATE, FAST, KEY, hydrogens, make, two_levels
from helpers.runs import MODELS, write_xyz
from helpers.waters import cubic, waters

import pyfennix as fx


def test_it_runs_and_everything_has_its_shape():
    with two_levels() as sim:
        sim.run(5)
        assert (sim.step, sim.time, len(sim)) == (5, pytest.approx(0.005), 54)
        for name in ("positions", "velocities", "forces", "forces_fast"):
            assert getattr(sim, name).shape == (54, 3)
            assert getattr(sim, name).dtype == np.float64
        assert sim.energy.total == pytest.approx(sim.energy.potential + sim.energy.kinetic)
        assert 0.0 < sim.temperature < 500.0
        assert {"temperature_H", "temperature_mid_H", "pressure"} <= set(sim.observables)
        np.testing.assert_allclose(sim.cell, np.eye(3) * 12.0)
        assert sim.numbers.tolist() == [1] * 54
        np.testing.assert_allclose(sim.masses, 1.008)
        assert len(sim.labels) == 2


def test_forces_energy_virial_are_those_of_the_model():
    with two_levels() as sim:
        sim.run(3)
        model = fx.load_model(ACCURATE, dtype="float64")
        expected = fx.evaluate(model, sim.numbers, sim.positions, sim.cell)
        np.testing.assert_allclose(sim.forces, expected.forces, atol=1e-9)
        np.testing.assert_allclose(sim.virial, expected.virial, atol=1e-8)
        assert sim.energy.potential == pytest.approx(expected.energy, abs=1e-8)


def test_arrays_are_copies_and_can_be_set():
    with make() as sim:
        positions = sim.positions
        positions += 1.0
        assert not np.array_equal(positions, sim.positions)
        moved = sim.positions
        moved[0, 0] += 0.05
        before = sim.energy.potential
        sim.positions = moved
        assert sim.energy.potential != before
        model = fx.load_model(ACCURATE, dtype="float64")
        expected = fx.evaluate(model, sim.numbers, moved, sim.cell)
        np.testing.assert_allclose(sim.forces, expected.forces, atol=1e-9)
        sim.velocities = np.zeros((54, 3))
        assert sim.energy.kinetic == 0.0
        for wrong in (np.zeros((3, 3)), np.full((54, 3), np.nan)):
            with pytest.raises(fx.InputError, match="finite numbers"):
                sim.positions = wrong


def test_given_velocities_are_never_altered():
    rng = np.random.default_rng(2)
    velocities = rng.normal(size=(54, 3)) + 5.0
    for ensemble in ("nve", "nvt"):
        with make(velocities=velocities, ensemble=ensemble) as sim:
            np.testing.assert_array_equal(sim.velocities, velocities)


def test_momenta_of_atoms_count():
    atoms = hydrogens()
    velocities = np.random.default_rng(3).normal(size=(54, 3))
    atoms.set_velocities(velocities / (1000 * ase.units.fs))
    with make(atoms) as sim:
        np.testing.assert_allclose(sim.velocities, velocities, rtol=1e-12)


def test_masses_of_atoms_count():
    atoms = hydrogens()
    atoms.set_masses([2.014] * 54)
    with make(atoms) as sim:
        np.testing.assert_array_equal(sim.masses, 2.014)


@pytest.mark.parametrize("given", [False, True])
def test_heavy_hydrogens_of_atoms_with_masses(given):
    """Masses that the atoms carry, as those of a keyfile's system do, are shared out as well."""
    numbers, positions = waters(cubic(8), (2, 2, 2), 1)
    atoms = ase.Atoms(numbers, positions, cell=cubic(8), pbc=True)
    if given:
        atoms.set_masses([18.0, 1.0, 1.0] * 8)
    with pytest.warns(UserWarning, match="16 were guessed"):
        sim = fx.Simulation(atoms, accurate="water-accurate", dt=1.0,
                            keywords={"heavy-hydrogen": True})
    expected = [12.0, 4.0, 4.0] if given else [15.999 - 2 * (4.0 - 1.008), 4.0, 4.0]
    with sim:
        np.testing.assert_allclose(sim.masses.reshape(8, 3), [expected] * 8, rtol=1e-12)


def test_constant_energy():
    with make(fast=FAST, dt=0.5, substeps=2, ensemble="nve") as sim:
        start = sim.energy.total
        sim.run(100)
        assert sim.energy.total == pytest.approx(start, abs=0.1)
        assert sim.energy.conserved == sim.energy.total


def test_trajectory_and_runs_add_up():
    with two_levels() as one, two_levels() as two:
        frames = list(one.trajectory(10, every=3))
        assert [frame.step for frame in frames] == [3, 6, 9, 10]
        two.run(10)
        np.testing.assert_array_equal(frames[-1].positions, two.positions)
        np.testing.assert_array_equal(frames[-1].velocities, two.velocities)
        assert frames[-1].energy == two.energy


def test_same_as_the_keyfile(tmp_path):
    atoms = hydrogens()
    atoms.positions = atoms.positions.round(6)
    write_xyz(tmp_path / "h2.xyz", atoms.numbers, atoms.positions)
    (tmp_path / "h2.key").write_text(KEY)
    with fx.Simulation(tmp_path / "h2.key") as one, two_levels(atoms=atoms) as two:
        one.run(5)
        two.run(5)
        np.testing.assert_allclose(one.positions, two.positions, atol=1e-12)
    with fx.Simulation(str(tmp_path / "h2"), temperature=50.0, fast=None, dt=2.0) as sim:
        sim.run(1)
        assert sim.time == pytest.approx(0.002)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["h2.key", "h2.xyz"]


def test_files_only_when_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with two_levels() as sim:
        sim.run(2)
    assert not list(tmp_path.iterdir())
    with two_levels(output="out", keywords={"dump": 0.002}) as sim:
        sim.run(6)
        last = sim.positions
    assert {"out.arc", "out.h5", "out.dyn", "out.chk"} <= {p.name for p in tmp_path.iterdir()}
    with h5py.File("out.h5") as file:
        group = file["particles/trajectory"]
        assert group["position/step"][-1] == 6
        edges = group["box/edges/value"][-1]
        unwrapped = group["position/value"][-1] + group["image/value"][-1] @ edges
        np.testing.assert_allclose(unwrapped, last, atol=1e-5)
        assert b"ml-model" in file["parameters/keyfile"][()]
        assert "Accurate" in file["parameters/model_accurate"][()].decode()


def test_resume_is_bitwise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with two_levels() as sim:
        sim.run(8)
        expected = sim.positions
    with two_levels(output="out") as sim:
        sim.run(5)
    with two_levels(output="out", resume=True) as sim:
        assert sim.step == 5
        sim.run(3)
        np.testing.assert_array_equal(sim.positions, expected)


def test_model_objects_are_taken_and_left_alone():
    model = fx.load_model(ACCURATE)
    model.weight = torch.nn.Parameter(torch.ones(1))
    with make(accurate=model, dtype="float64") as one, make() as two:
        assert one.energy.potential == pytest.approx(two.energy.potential, rel=1e-12)
    assert model.dtype == torch.float32
    assert model.weight.requires_grad


def test_model_file_with_a_blank_in_its_path(tmp_path):
    folder = tmp_path / "my models"
    folder.mkdir()
    shutil.copy(MODELS / "pairs.py", folder)
    with make(accurate=folder / "pairs.py:Accurate") as one, make() as two:
        assert one.energy == two.energy


def test_isolated():
    atoms = hydrogens()
    atoms.pbc = False
    with make(atoms) as sim:
        sim.run(2)
        assert sim.cell is None
        assert "pressure" not in sim.observables


@pytest.mark.parametrize(("options", "words"), [
    ({"dt": -1.0}, "timestep"),
    ({"substeps": 0}, "substeps"),
    ({"fast": FAST, "dt": 1.0, "keywords": {"dshort": 0.0003}}, "multiple"),
    ({"ensemble": "npt"}, "npt"),
    ({"dtype": "float16"}, "float16"),
    ({"device": "cuda:77"}, "cuda:77"),
    ({"keywords": {"list-bufer": 1.0}}, "list-buffer"),
    ({"velocities": np.zeros((2, 3))}, r"\(54, 3\)"),
    ({"resume": True}, "output="),
    ({"keywords": {"list-buffer": "1\nnot-a-keyword"}}, "one line"),
    ({"output": "/proc/none/out"}, "/proc/none"),
])
def test_refusals(options, words):
    with pytest.raises(fx.FennixError, match=words) as caught:
        make(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make_atoms", [
    lambda: ase.Atoms("H", pbc=[True, False, False], cell=[5, 5, 5]),
    lambda: ase.Atoms(),
    lambda: ase.Atoms("He"),
    lambda: ase.Atoms("H2", positions=[[0, 0, 0], [0, 0, np.inf]]),
    lambda: hydrogens(side=0.5),
    lambda: 3.0,
])
def test_bad_systems(make_atoms):
    with pytest.raises(fx.FennixError) as caught:
        make(make_atoms())
    assert "\n" not in str(caught.value)


def test_missing_keyfile(tmp_path):
    with pytest.raises(fx.InputError, match=r"none\.key: the keyfile is missing"):
        fx.Simulation(tmp_path / "none.key")


def test_failing_model_leaves_the_simulation_closable():
    class Late(torch.nn.Module):
        """Fails at its third call."""

    model = fx.load_model(ACCURATE, dtype="float64")
    calls = []
    forward = type(model).forward

    class Faulty(type(model)):
        def forward(self, graph):
            calls.append(1)
            if len(calls) == 3:
                raise ValueError("enough")
            return forward(self, graph)

    with make(accurate=Faulty()) as sim:
        with pytest.raises(fx.FennixError, match="enough") as caught:
            sim.run(10)
        assert isinstance(caught.value.__cause__, ValueError)
        assert sim.step == 1


@pytest.fixture
def interruptible():
    """Python's own handler for SIGINT, also where the tests were started with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupt_ends_after_a_whole_step():
    with two_levels() as sim:
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            sim.run(1_000_000)
        done = sim.step
        sim.run(2)
        assert sim.step == done + 2


def test_progress(capsys):
    with make() as sim:
        sim.run(4, progress=True)
    assert "100 %  4 of 4 steps" in capsys.readouterr().err
