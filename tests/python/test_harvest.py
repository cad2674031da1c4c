# SPDX-License-Identifier: MIT
"""harvest-force: the steps at which the models are far apart, found independently; files, log."""

import os
import re
import warnings

import h5py
import numpy as np
import pytest
from helpers.holes import (
    BINS,
    STEPS,
    go,
    harvest,
    harvested,
    holes_case,
    predicted,
    read_holes,
    steps_and_positions,
    threshold_for,
)
from helpers.hydrogens import make
from helpers.runs import dynamic, model_path, reference


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A run that harvests nothing: what it left, its log, and what can be said from positions."""
    folder = holes_case(tmp_path_factory.mktemp("plain"))
    log = go(folder, STEPS)
    steps, positions = steps_and_positions(folder / "case.h5")
    difference = predicted(positions)
    return folder, log, steps, positions, difference


@pytest.fixture(scope="module")
def threshold(plain):
    """Passed by about a third of the steps."""
    return threshold_for(np.linalg.norm(plain[4], axis=2).max(1))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, threshold):
    """The same run, harvested."""
    return harvested(tmp_path_factory.mktemp("whole"), threshold)


def test_off_by_default(plain):
    folder, log, *_ = plain
    assert not list(folder.glob("*holes.h5*"))
    assert "arvest" not in log
    assert b"harvest" not in (folder / "case.chk").read_bytes()


def test_the_predicted_steps_are_written(plain, threshold, whole):
    _, _, steps, positions, difference = plain
    lengths = np.linalg.norm(difference, axis=2)
    wanted = lengths.max(1) > threshold
    assert 10 < wanted.sum() < STEPS - 10
    found = read_holes(whole[0] / "case.holes.h5")
    np.testing.assert_array_equal(found.steps, steps[wanted])
    np.testing.assert_allclose(found.times, 0.001 * steps[wanted], rtol=1e-12)
    np.testing.assert_array_equal(found.positions, positions[wanted])
    # far above ml-force-cap: nothing is cut off from what is written
    np.testing.assert_allclose(found.differences, difference[wanted], atol=2e-3)
    np.testing.assert_allclose(found.worst, lengths[wanted].max(1), atol=2e-3)
    written = np.linalg.norm(found.differences, axis=2)
    np.testing.assert_allclose(found.worst, written.max(1), rtol=1e-6)
    # the two of a molecule differ by rounding only
    at = written[np.arange(len(written)), found.worst_atoms - 1]
    np.testing.assert_allclose(at, found.worst, rtol=1e-6)


def test_the_file_says_what_it_holds(whole):
    numbers, _, _, cell = reference("periodic")
    with h5py.File(whole[0] / "case.holes.h5") as file, h5py.File(whole[0] / "case.h5") as all_:
        group, every = file["particles/trajectory"], all_["particles/trajectory"]
        np.testing.assert_array_equal(group["species"], numbers)
        for name in ("id", "mass"):
            np.testing.assert_array_equal(group[name], every[name])
        np.testing.assert_allclose(group["box/edges/value"][0], cell, atol=1e-8)
        at = group["position/step"][()] - 1  # NAME.h5 has a frame each step
        for name in ("image/value", "box/edges/value", "position/time"):
            np.testing.assert_array_equal(group[name], every[name][()][at])
        assert group["force_difference/value"].attrs["unit"] == "kcal mol-1 Angstrom-1"
        assert group["force_difference/step"] == group["position/step"]
        assert file["observables/worst_atom/value"].dtype == np.int64
        assert "velocity" not in group
        assert "ml-model-fast" in file["parameters/keyfile"][()].decode()


def test_statistics_of_all_atoms_and_steps(plain, threshold, whole):
    lengths = np.linalg.norm(plain[4], axis=2)
    found = read_holes(whole[0] / "case.holes.h5").statistics
    np.testing.assert_array_equal(found["edges"], BINS[:-1])
    counts = np.histogram(lengths, BINS)[0]
    # a length computed from rounded positions may lie on the other side of an edge
    assert np.abs(np.cumsum(found["histogram"]) - np.cumsum(counts)).max() <= 2
    assert found["histogram"].sum() == lengths.size
    step, atom = found["largest_step"], found["largest_atom"]
    assert abs(found["largest"] - lengths.max()) < 2e-3
    assert abs(lengths[step - 1, atom - 1] - lengths.max()) < 1e-4
    assert (found["n_steps"], found["first_step"], found["last_step"]) == (STEPS, 1, STEPS)
    assert found["n_above"] == (lengths.max(1) > threshold).sum()
    assert found["threshold"] == threshold


def test_the_log_tells_it(plain, whole):
    lengths = np.linalg.norm(plain[4], axis=2)
    found = read_holes(whole[0] / "case.holes.h5")
    log = " ".join(whole[1].split())
    assert f"at {len(found.steps)} of {STEPS} outer steps (1 to {STEPS})" in log
    assert f"case.holes.h5 holds {len(found.steps)} frames Largest" in log
    place = r"on atom (\d+) \(H\) at outer step (\d+)"
    worst = re.search(r"Largest difference (\S+) kcal/mol/A " + place, log)
    assert abs(float(worst.group(1)) - lengths.max()) < 2e-3
    assert int(worst.group(2)) == found.statistics["largest_atom"]
    assert int(worst.group(3)) == found.statistics["largest_step"]
    long = found.statistics["histogram"][60:].sum()
    assert long > 0
    share = f"{100 * long / lengths.size:.4f}"
    assert (f"Of {lengths.size} atoms x steps {long} ({share} %) were at or above 30 kcal/mol/A, "
            "0 (0.0000 %) were at or above 150") in log


def test_the_trajectory_does_not_notice(plain, whole):
    for name in ("case.arc", "case.dyn"):
        assert (plain[0] / name).read_bytes() == (whole[0] / name).read_bytes()


@pytest.mark.parametrize("limit", [0, 5])
def test_no_more_than_harvest_max(limit, tmp_path, threshold, whole):
    folder = holes_case(tmp_path, harvest(threshold) + f"harvest-max {limit}\n")
    log = go(folder, STEPS)
    all_, some = read_holes(whole[0] / "case.holes.h5"), read_holes(folder / "case.holes.h5")
    np.testing.assert_array_equal(some.steps, all_.steps[:limit])
    for name, value in all_.statistics.items():
        np.testing.assert_array_equal(some.statistics[name], value)
    left = len(all_.steps) - limit
    assert (f"holds {limit} frames; {left} steps were counted but not written (harvest-max {limit})"
            in log)


def test_frames_can_be_evaluated_again(whole):
    """Beside the keyfile that harvests; the table has the difference of each frame."""
    found = read_holes(whole[0] / "case.holes.h5")
    before = sorted(path.name for path in whole[0].iterdir())
    done = dynamic(whole[0], "case", "--rerun", "case.holes.h5")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if re.match(r" +\d+ +-", line)]
    worst = [float(row[-2]) for row in rows]  # from positions in single precision
    np.testing.assert_allclose(worst, found.worst, atol=5e-3)
    assert sorted(path.name for path in whole[0].iterdir()) == before


def test_from_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"accurate": model_path("holes.py:Accurate"), "fast": model_path("holes.py:Fast"),
               "dt": 1.0, "substeps": 2, "keywords": {"harvest-force": 1e-6}}
    with pytest.warns(UserWarning, match="'harvest-force' has no effect without output="), \
            make(**options) as sim:
        sim.run(3)
    assert not os.listdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with make(output="out", **options) as sim:
            sim.run(3)
            found = read_holes(tmp_path / "out.holes.h5")  # while it is open
            difference = sim.forces - sim.forces_fast
    assert list(found.steps) == [1, 2, 3]
    np.testing.assert_allclose(found.differences[-1], difference, rtol=1e-6)
    assert found.statistics["n_steps"] == 3


def test_mdanalysis_reads_it(whole):
    mda = pytest.importorskip("MDAnalysis")
    found = read_holes(whole[0] / "case.holes.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = mda.Universe.empty(48, trajectory=True)
        universe.load_new(str(whole[0] / "case.holes.h5"), format="H5MD")
    assert [int(ts.data["step"]) for ts in universe.trajectory] == found.steps.tolist()
    assert [ts.data["worst_atom"] for ts in universe.trajectory] == found.worst_atoms.tolist()
