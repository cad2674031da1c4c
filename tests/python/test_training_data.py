# SPDX-License-Identifier: MIT
"""Frames in files, their division, element statistics, labels of a teacher, moved copies."""

import ase
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from helpers.labelled import water_frames
from helpers.shared import shared
from helpers.waters import cubic

import pyfennix as fx
from pyfennix import units
from pyfennix.exceptions import InputError
from pyfennix.models.evaluate import evaluate
from pyfennix.models.registry import load_model
from pyfennix.training.frames import Frame, split_by_run
from pyfennix.training.readers import read_all, read_frames
from pyfennix.training.references import fit_references, subtract
from pyfennix.training.shapes import find_walls
from pyfennix.training.store import write_store
from pyfennix.training.teacher import bonds_to_hydrogen, shaken, strained, stretched


def same(one: Frame, other: Frame, tolerance: float) -> None:
    assert (one.numbers == other.numbers).all()
    assert np.allclose(one.positions, other.positions, atol=1e-8)
    assert one.energy == pytest.approx(other.energy, abs=1e-7)
    assert np.allclose(one.forces, other.forces, atol=tolerance)
    assert (one.cell is None) == (other.cell is None)
    assert (one.virial is None) == (other.virial is None)
    if one.virial is not None:
        assert np.allclose(one.virial, other.virial, atol=1e-5)


def as_atoms(frame: Frame) -> ase.Atoms:
    periodic = frame.cell is not None
    atoms = ase.Atoms(frame.numbers, frame.positions, cell=frame.cell, pbc=periodic)
    results = {"energy": frame.energy, "forces": frame.forces}
    if periodic:
        stress = frame.virial / atoms.get_volume()
        results["stress"] = stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def test_the_store_gives_back_what_it_was_given(tmp_path):
    frames = water_frames()
    frames[3].weights = np.linspace(0, 1, len(frames[3]))
    write_store(tmp_path / "a.h5", frames)
    found = read_frames(tmp_path / "a.h5")
    assert len(found) == len(frames)
    for frame in frames:
        twin = next(f for f in found if np.allclose(f.positions, frame.positions))
        same(twin, frame, 1e-5)
        assert twin.run.endswith(frame.run)
        assert (twin.weights is None) == (frame.weights is None)


def test_extended_xyz_and_databases_are_read(tmp_path):
    frames = water_frames()
    images = [as_atoms(frame) for frame in frames]
    ase.io.write(tmp_path / "a.extxyz", images)
    with connect(tmp_path / "a.db") as database:
        for image in images:
            database.write(image)
    for name, tolerance in (("a.extxyz", 1e-6), ("a.db", 1e-9)):
        found = read_frames(tmp_path / name)
        assert len(found) == len(frames)
        for one, other in zip(found, frames, strict=True):
            same(one, other, tolerance)
    assert len(read_frames(f"{tmp_path / 'a.extxyz'}@1:5:2")) == 2


@pytest.mark.parametrize(("make", "words"), [
    (lambda p: p / "waters.h5", "does not exist; did you mean"),
    (lambda p: p / "a.pdf", "ends in"),
    (lambda p: p / "text.h5", "cannot be read as HDF5"),
    (lambda p: p / "text.extxyz", "ASE cannot read it"),
    (lambda p: f"{p / 'water.h5'}@x", "expected FILE@start"),
    (lambda p: f"{p / 'water.h5'}@::0", "expected FILE@start"),
])
def test_a_bad_file_is_one_sentence(tmp_path, make, words):
    write_store(tmp_path / "water.h5", water_frames(2))
    for name in ("text.h5", "text.extxyz", "a.pdf"):
        (tmp_path / name).write_text("not\nwhat it says")
    with pytest.raises(InputError, match=words) as caught:
        read_frames(make(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_folder_may_hold_an_at_sign(tmp_path):
    folder = tmp_path / "run@300K"
    folder.mkdir()
    write_store(folder / "a.h5", water_frames(2))
    assert len(read_frames(folder / "a.h5")) == 2
    assert len(read_frames(f"{folder / 'a.h5'}@:1")) == 1


def test_files_of_one_name_in_two_folders_are_two_runs(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        frames = water_frames(8)[::2]  # one group of the file
        for frame in frames:
            frame.run, frame.family = "md", "pair"
        write_store(tmp_path / folder / "md.h5", frames)
    one, two = (str(tmp_path / folder / "md.h5") for folder in ("one", "two"))
    found = read_all([f"{one}@:2", two, f"{one}@2:"])
    assert [f.run == found[0].run for f in found] == [True] * 2 + [False] * 4 + [True] * 2
    assert [f.family == "pair" for f in found] == [True] * 2 + [False] * 4 + [True] * 2
    (tmp_path / "two" / "md.h5").rename(tmp_path / "other.h5")  # another name
    found = read_all([one, tmp_path / "other.h5"])
    assert len({f.run for f in found}) == len({f.family for f in found}) == 2


def test_frames_without_runs_are_drawn_singly(tmp_path):
    for name in ("a", "b"):
        ase.io.write(tmp_path / f"{name}.extxyz", [as_atoms(f) for f in water_frames(10)])
    frames = [f for name in ("a", "b") for f in read_frames(tmp_path / f"{name}.extxyz")]
    training, held = split_by_run(frames, 0.1, seed=0)
    assert (len(training), len(held)) == (18, 2)


@pytest.mark.parametrize(("number", "fraction", "sizes"), [
    (1, 0.1, (1, 0)), (4, 0.1, (4, 0)), (3, 0.9, (1, 2)), (100, 0.1, (85, 10)), (20, 0.0, (20, 0)),
])
def test_the_end_of_a_single_run_is_held_out(number, fraction, sizes):
    frames = [Frame(np.array([8]), np.full((1, 3), float(k)), run="md") for k in range(number)]
    training, held = split_by_run(frames, fraction, seed=0)
    assert (len(training), len(held)) == sizes
    assert training == frames[: len(training)]
    assert held == frames[number - len(held) :]


@pytest.mark.parametrize(("family", "kinds"), [("1", ("md", "md")), ("", ("md", "worst"))])
def test_a_single_run_with_copies_of_its_frames_is_not_divided(family, kinds):
    frames = water_frames(2, labelled=False)
    for frame, kind in zip(frames, kinds, strict=True):
        frame.run, frame.family, frame.kind = "md", family, kind
    with pytest.raises(InputError, match=r"chosen from others.*name validation files"):
        split_by_run(frames, 0.1, seed=0)


def test_the_engine_s_trajectories_are_geometries(tmp_path):
    atoms = as_atoms(water_frames(1)[0])
    atoms.calc = None
    sim = fx.Simulation(atoms, "water-fast", dt=0.5, ensemble="nvt", temperature=100.0,
                        output=tmp_path / "w", keywords={"dump": 0.001})
    with sim:
        sim.run(6)
    frames = read_frames(tmp_path / "w.h5")
    assert len(frames) > 1
    assert frames[0].forces is None
    assert np.allclose(frames[0].cell, cubic(8))


def test_of_a_single_run_the_end_is_held_out():
    """Its frames follow each other: what is between them must not be learned from."""
    frames = water_frames(40, labelled=False)
    for frame in frames:
        frame.run = "one"
    training, held = split_by_run(frames, 0.1, seed=0)
    assert [id(f) for f in training] == [id(f) for f in frames[:34]]
    assert [id(f) for f in held] == [id(f) for f in frames[36:]]


def test_runs_are_held_out_whole():
    frames = water_frames(20, labelled=False)
    training, held = split_by_run(frames, 0.3, seed=0)
    assert len(training) + len(held) == 20
    assert len(held) == 6
    assert not {f.run for f in training} & {f.run for f in held}
    assert [f.run for f in split_by_run(frames, 0.3, seed=0)[1]] == [f.run for f in held]


def test_references_are_found_and_taken_away():
    rng = np.random.default_rng(0)
    true = {1: -13.6, 6: -1030.0, 8: -2040.0}
    frames = []
    for _ in range(20):
        numbers = np.repeat([1, 6, 8], rng.integers(1, 6, 3))
        frames.append(Frame(numbers, np.zeros((len(numbers), 3)),
                            energy=sum(true[z] for z in numbers)))
    found = fit_references(frames)
    assert found == pytest.approx(true, abs=1e-6)
    subtract(frames, found)
    assert max(abs(f.energy) for f in frames) < 1e-5
    with pytest.raises(InputError, match="no reference energy is given for C"):
        subtract(frames, {1: 0.0, 8: 0.0})


def test_a_teacher_says_what_evaluate_says():
    model = load_model("water-fast")
    for frame in water_frames(4):
        alone = evaluate(model, frame.numbers, frame.positions, frame.cell)
        assert frame.energy * units.EV_IN_KCAL == pytest.approx(alone.energy, abs=1e-3)
        assert np.allclose(frame.forces * units.EV_IN_KCAL, alone.forces, atol=1e-3)


def test_copies_move_as_they_say():
    rng = np.random.default_rng(0)
    frame = water_frames(1, labelled=False)[0]
    bonds = bonds_to_hydrogen(frame)
    assert len(bonds) == 16
    moved = stretched(frame, 0.05, rng).positions - frame.positions
    assert np.abs(moved[frame.numbers == 8]).max() == 0.0
    for hydrogen, direction in bonds:  # along the bond alone
        assert np.linalg.norm(np.cross(moved[hydrogen], direction)) < 1e-12
        assert np.linalg.norm(moved[hydrogen]) > 0.0
    assert 0.02 < (shaken(frame, 0.05, rng).positions - frame.positions).std() < 0.08
    squeezed = strained(frame, 0.02, rng)
    ratio = squeezed.cell[0, 0] / frame.cell[0, 0]
    assert 0.98 <= ratio <= 1.02
    assert np.allclose(squeezed.positions, ratio * frame.positions)
    assert squeezed.forces is None


def test_walls_stand_where_the_data_end():
    frame = Frame(np.array([8, 1, 1]), np.array([[0, 0, 0], [0.9, 0, 0], [0, 1.1, 0.0]]))
    walls = {(a, b): d for a, b, d in find_walls([frame], [1, 8])}
    assert walls[1, 8] == pytest.approx(0.9)
    assert walls[1, 1] == pytest.approx(np.hypot(0.9, 1.1))
    assert 0.5 < walls[8, 8] < 1.5  # never seen: from covalent radii


def test_the_shared_data_are_read():
    frames = read_frames(shared("data", "so3lr_water.h5"))
    training, held = split_by_run(frames, 0.1, seed=0)
    assert len(training) + len(held) == len(frames) > 1000
    assert max(f.largest_force for f in frames) < 30.0
    assert all(f.virial is not None and f.cell is not None for f in frames)
