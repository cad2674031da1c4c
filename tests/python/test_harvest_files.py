# SPDX-License-Identifier: MIT
"""NAME.holes.h5 over several runs: resumed, killed, started from NAME.dyn, new, failed."""

import re
import signal
import subprocess

import numpy as np
import pytest
from helpers.holes import (
    DT,
    STEPS,
    THRESHOLD,
    content,
    go,
    harvest,
    harvested,
    holes_case,
    read_holes,
)
from helpers.runs import dynamic, environment, executable

from pyfennix.io import h5md


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run without interruption: its folder and log."""
    return harvested(tmp_path_factory.mktemp("whole"), THRESHOLD)


def assert_same(one, two):
    """The same data sets with the same bits."""
    np.testing.assert_equal(content(one), content(two))


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path, whole):
    folder = holes_case(tmp_path, harvest(THRESHOLD))
    go(folder, 27)
    # the file is ahead of a checkpoint after a kill: here by the steps 28 to 35
    kept = {name: (folder / name).read_bytes() for name in ("case.chk", "case.dyn")}
    go(folder, 35, "--resume")
    for name, data in kept.items():
        (folder / name).write_bytes(data)
    log = go(folder, STEPS, "--resume")
    assert_same(folder / "case.holes.h5", whole[0] / "case.holes.h5")
    assert (folder / "case.chk").read_bytes() == (whole[0] / "case.chk").read_bytes()
    for line in (line for line in whole[1].splitlines() if "arvest" in line or "holes" in line):
        assert line in log


def test_a_resumed_run_that_harvests_nothing_keeps_the_file(tmp_path, whole):
    folder = holes_case(tmp_path, harvest(THRESHOLD))
    key = (folder / "case.key").read_text()
    go(folder, 20)
    first = content(folder / "case.holes.h5")
    (folder / "case.key").write_text(key.replace("harvest", "# harvest"))
    go(folder, 40, "--resume")
    np.testing.assert_equal(content(folder / "case.holes.h5"), first)
    (folder / "case.key").write_text(key.replace(harvest(THRESHOLD), "harvest-force 20\n"))
    log = go(folder, STEPS, "--resume")
    assert "up to the checkpoint harvest-force was" in log
    steps = read_holes(whole[0] / "case.holes.h5").steps
    found = read_holes(folder / "case.holes.h5")
    np.testing.assert_array_equal(found.steps[found.steps < 40], steps[steps <= 20])
    assert found.statistics["n_steps"] == 40
    assert found.statistics["last_step"] == STEPS
    assert f"of 40 outer steps (1 to {STEPS})" in log


def test_a_killed_run_leaves_a_readable_file_and_goes_on(tmp_path):
    many = 300
    folders = [holes_case(tmp_path / name, harvest(THRESHOLD) + "verbose\n")
               for name in ("whole", "parts") if not (tmp_path / name).mkdir()]
    go(folders[0], many)
    line = [str(executable()), "case", str(many), str(DT), "1.0", "2", "300.0"]
    run = subprocess.Popen(line, cwd=folders[1], env=environment(), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, text=True)
    done = next(line for line in run.stdout if re.match(r" +10[1-9] ", line))
    run.send_signal(signal.SIGKILL)
    run.wait()
    step = int(done.split()[0])
    all_, left = (read_holes(folder / "case.holes.h5") for folder in folders)
    n = (all_.steps <= step).sum()
    assert n > 10
    np.testing.assert_array_equal(left.steps[:n], all_.steps[:n])  # and perhaps a few more
    assert left.statistics["n_steps"] >= 100  # of the last checkpoint
    done = dynamic(folders[1], "case", many, DT, 1.0, 2, 300.0, "--resume")
    assert done.returncode == 0, done.stderr
    assert_same(folders[1] / "case.holes.h5", folders[0] / "case.holes.h5")


def test_a_start_from_dyn_appends_and_a_new_run_sets_aside(tmp_path, whole):
    folder = holes_case(tmp_path, harvest(THRESHOLD))
    go(folder, 30)
    early = (folder / "case.dyn").read_bytes()
    go(folder, 10)
    (folder / "case.dyn").write_bytes(early)
    go(folder, 10)
    steps = read_holes(whole[0] / "case.holes.h5").steps
    found = read_holes(folder / "case.holes.h5")
    np.testing.assert_array_equal(found.steps[found.steps <= 30], steps[steps <= 30])
    assert (np.diff(found.steps) > 0).all()
    assert found.statistics["first_step"] == 31  # of this run alone, as the documentation says
    assert found.statistics["n_steps"] == 10
    (folder / "case.dyn").unlink()
    before = content(folder / "case.holes.h5")
    go(folder, 5)
    np.testing.assert_equal(content(folder / "case.holes.h5.1"), before)
    assert read_holes(folder / "case.holes.h5").statistics["n_steps"] == 5


def test_a_file_without_frames_is_whole(tmp_path):
    folder = holes_case(tmp_path, "harvest-force 1000\n")
    assert "holds 0 frames" in go(folder, 10)
    found = read_holes(folder / "case.holes.h5")
    assert found.positions.shape == (0, 48, 3)
    assert found.statistics["histogram"].sum() == 480
    go(folder, 20, "--resume")
    assert read_holes(folder / "case.holes.h5").statistics["histogram"].sum() == 960
    assert h5md.rewrite(folder / "case.holes.h5") == 0


def test_a_run_that_fails_leaves_what_led_there(tmp_path):
    """One rank counts as rank 1 here, whose accurate model fails at the 12th step."""
    folder = holes_case(tmp_path, "harvest-force 0.001\ncheckpoint-every 1000\n")
    key = (folder / "case.key").read_text()
    (folder / "case.key").write_text(key.replace("Accurate", "Failing"))
    model = folder / "faulty_ranks.py"
    model.write_text(re.sub(r"^RANK = .*$", "RANK = 1", model.read_text(), flags=re.M))
    done = dynamic(folder, "case", STEPS, DT, 1.0, 2, 300.0)
    assert done.returncode != 0
    assert "this rank has had enough" in done.stderr
    found = read_holes(folder / "case.holes.h5")
    np.testing.assert_array_equal(found.steps, np.arange(1, 12))
    assert found.statistics["n_steps"] == 11
