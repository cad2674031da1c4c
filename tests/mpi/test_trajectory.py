"""A run is the same on any ranks: trajectory, files, and what a checkpoint continues."""

from __future__ import annotations

import os
import shutil

import h5py
import numpy as np
import pytest
from helpers.ranks import dynamic_on
from helpers.runs import TESTS

pytestmark = [pytest.mark.mpi, pytest.mark.slow]

SIDE = 18.643
KEYWORDS = f"""\
a-axis {SIDE}
integrator baoabrespa
ml-model water-accurate
ml-model-fast water-fast
ml-precision float64
ml-threads 1
dshort 0.001
friction 1.0
randomseed 2026
list-buffer 0.3
digits 8
"""
STEPS, DT = 250, 2.0  # fs, two inner steps each
NEAR = 1e-9  # Å; what rounding has grown to after 0.5 ps (about 12.5/ps)


def prepare(folder):
    """The water of the example with a small skin, so that atoms change rank often."""
    folder.mkdir()
    shutil.copy(TESTS.parent / "examples" / "01_water" / "water.xyz", folder)
    (folder / "water.key").write_text(KEYWORDS)
    return folder


def run(folder, n_ranks, steps=STEPS, *words):
    """0.1 ps between frames; the log."""
    done = dynamic_on(n_ranks, folder, "water", steps, DT, 0.1, 2, 300.0, *words, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def migrations(log):
    """Times that atoms changed rank, from the closing lines."""
    words = next(line for line in log.splitlines() if "changed rank in" in line).split()
    return int(words[words.index("migrations") - 1])


def positions(folder):
    """Unwrapped positions at the end, to 16 digits, from the restart file."""
    lines = (folder / "water.dyn").read_text().splitlines()
    n = int(lines[1].split()[0])
    begin = next(k for k, line in enumerate(lines) if "Current Atomic Positions" in line) + 1
    wrap = next(k for k, line in enumerate(lines) if "pbc wrap index" in line) + 1
    folded = [[float(x.replace("D", "e")) for x in line.split()] for line in lines[begin:begin + n]]
    image = [[int(x) for x in line.split()] for line in lines[wrap:wrap + n]]
    return np.array(folded) + SIDE * np.array(image)


def steps_of(folder):
    """Steps and time of the frames."""
    with h5py.File(folder / "water.h5", swmr=True) as file:
        group = file["particles/trajectory/position"]
        return group["step"][()].tolist(), group["time"][()].tolist()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The run on one rank."""
    folder = prepare(tmp_path_factory.mktemp("ranks") / "one")
    run(folder, 1)
    return folder


@pytest.mark.parametrize("n_ranks", [2, 4, 8])
def test_many_migrations_and_the_same_trajectory(n_ranks, alone, tmp_path):
    folder = prepare(tmp_path / "run")
    log = run(folder, n_ranks)
    assert migrations(log) >= 50
    assert np.abs(positions(folder) - positions(alone)).max() < NEAR
    assert (folder / "water.arc").read_text() == (alone / "water.arc").read_text()
    assert steps_of(folder) == steps_of(alone)


def test_a_checkpoint_of_two_ranks_goes_on_on_four(alone, tmp_path):
    folder = prepare(tmp_path / "run")
    run(folder, 2, 100)
    log = run(folder, 4, STEPS, "--resume")
    assert "written on 2 ranks" in log
    assert np.abs(positions(folder) - positions(alone)).max() < NEAR
    assert (folder / "water.arc").read_text() == (alone / "water.arc").read_text()
    assert steps_of(folder) == steps_of(alone)


def test_threads_may_differ_on_another_number_of_ranks(tmp_path, monkeypatch):
    folder = prepare(tmp_path / "run")
    key = folder / "water.key"
    key.write_text(KEYWORDS.replace("ml-threads 1\n", "").replace("float64", "float32"))
    monkeypatch.setattr("helpers.runs.environment", unthreaded)
    run(folder, 1, 2)
    assert "step 2" in run(folder, 2, 4, "--resume")


def unthreaded():
    """The environment of runs, without a number of threads."""
    plain = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    names = ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM")
    return plain | dict.fromkeys(names, "1")


def test_a_resumed_run_on_the_same_ranks_is_bitwise_the_uninterrupted_one(tmp_path):
    folders = [prepare(tmp_path / name) for name in ("whole", "parts")]
    run(folders[0], 2, 60)
    run(folders[1], 2, 35)
    run(folders[1], 2, 60, "--resume")
    for name in ("water.arc", "water.dyn", "water.chk"):
        whole, parts = ((folder / name).read_bytes() for folder in folders)
        assert whole == parts, name
