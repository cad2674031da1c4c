# SPDX-License-Identifier: MIT
"""What becomes of the files of an earlier run: --resume and .dyn starts, outputs on and off."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from helpers.runs import TWO_LEVELS, dynamic, small_case

KEYWORDS = TWO_LEVELS + "checkpoint-every 20\n"
DT, DUMP = 1.0, 0.02  # a frame each 20 steps
STEP = "particles/trajectory/position/step"
TIME = "particles/trajectory/position/time"


def go(folder, steps, *words, dt=DT, extra=""):
    """Run to a number of steps, with more keywords."""
    key = folder / "case.key"
    plain = key.read_text()
    key.write_text(plain + extra)
    done = dynamic(folder, "case", steps, dt, DUMP, 2, 300.0, *words)
    key.write_text(plain)
    return done


def well(*args, **options):
    done = go(*args, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def h5(folder, name=STEP, file="case.h5"):
    with h5py.File(folder / file) as data:
        return data[name][()]


def frames(folder, file="case.arc"):
    return (folder / file).read_text().count("written by a test")


@pytest.fixture
def case(tmp_path):
    return small_case(tmp_path, KEYWORDS, "periodic")


def test_resume_with_outputs_off_keeps_what_they_wrote(case):
    well(case, 60)
    kept = (case / "case.arc").read_bytes()
    well(case, 100, "--resume", extra="noarchive\nh5md off\n")
    assert (case / "case.arc").read_bytes() == kept
    well(case, 140, "--resume")
    assert (case / "case.arc").read_bytes().startswith(kept)
    assert frames(case) == 5
    np.testing.assert_array_equal(h5(case), [20, 40, 60, 120, 140])


def test_a_dyn_start_sets_aside_a_trajectory_that_never_got_a_frame(case):
    well(case, 40)
    (case / "case.h5").write_bytes(b"killed before anything was flushed")
    well(case, 20)
    assert (case / "case.h5.1").read_bytes().startswith(b"killed")
    np.testing.assert_array_equal(h5(case), [60])


def test_files_of_another_run_are_set_aside_on_resume(case):
    well(case, 40)
    kept = (case / "case.arc").read_bytes()
    (case / "case.dyn").unlink()
    well(case, 40, extra="noarchive\nh5md off\n")  # a new run that writes neither
    well(case, 80, "--resume")
    assert (case / "case.arc.1").read_bytes() == kept
    np.testing.assert_array_equal(h5(case, file="case.h5.1"), [20, 40])
    np.testing.assert_array_equal(h5(case), [60, 80])


def test_resume_refuses_other_vectors(case):
    well(case, 40)
    before = {p.name: p.read_bytes() for p in case.glob("case.*")}
    done = go(case, 80, "--resume", extra="save-force off\n")
    assert done.returncode != 0
    assert "save-force" in done.stderr
    assert {p.name: p.read_bytes() for p in case.glob("case.*")} == before


def test_dyn_start_drops_torn_and_later_frames(case):
    well(case, 40)
    start = (case / "case.dyn").read_bytes()
    kept = (case / "case.arc").read_bytes()
    well(case, 40)
    assert frames(case) == 4
    (case / "case.dyn").write_bytes(start)
    with (case / "case.arc").open("ab") as file:
        file.write(b"    24  written by")
    said = well(case, 20)
    assert "is cut to its first 2 frames" in said
    np.testing.assert_array_equal(h5(case), [20, 40, 60])
    assert frames(case) == 3
    assert (case / "case.arc").read_bytes().startswith(kept)


def test_no_step_writes_no_frame_after_a_restart_file(case):
    well(case, 40)
    well(case, 0)
    np.testing.assert_array_equal(h5(case), [20, 40])
    assert frames(case) == 2


def test_time_goes_on_with_another_step(case):
    well(case, 40)
    well(case, 40, dt=0.5)
    np.testing.assert_allclose(h5(case, TIME), [0.02, 0.04, 0.06], atol=1e-12)


@pytest.mark.parametrize("keyword", ["friction 7", "randomseed 8", "ml-force-cap 3",
                                     "remove-inertia 5", "heavy-hydrogen"])
def test_resume_refuses_another_run(case, keyword):
    well(case, 20)
    done = go(case, 40, "--resume", extra=keyword + "\n")
    assert done.returncode != 0
    assert f"needs the same {keyword.split()[0]};" in done.stderr


def test_resume_does_not_look_at_the_restart_file(case):
    well(case, 20)
    (case / "case.dyn").write_text("damaged")
    said = well(case, 40, "--resume")
    assert "Continuing from case.chk, step 20" in said
    assert "Continuing from case.dyn" not in said


def test_last_checkpoint_is_not_saved_twice(case):
    well(case, 40)
    assert (case / "case.chk").read_bytes() != (case / "case.chk.prev").read_bytes()
