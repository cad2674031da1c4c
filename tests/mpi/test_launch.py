"""Jobs through mpirun: one rank, --check, --minimize, --rerun, and stopping early."""

from __future__ import annotations

import pytest
from helpers.ranks import dynamic_on
from helpers.runs import small_case

pytestmark = pytest.mark.mpi


def test_one_rank_under_mpirun_runs(tmp_path):
    done = dynamic_on(1, small_case(tmp_path), "case", 2, 1.0, 0.001, 2, 300.0)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "case.arc").exists()


def test_check_shows_what_each_rank_would_do(tmp_path):
    done = dynamic_on(4, small_case(tmp_path, start="periodic"), "case", 10, "--check")
    assert done.returncode == 0, done.stderr
    assert " 4 as " in done.stdout
    assert "own atoms" in done.stdout
    assert done.stdout.count(": ghosts ") == 2
    assert done.stdout.count("The input is valid") == 1
    assert not list(tmp_path.glob("case.arc*"))


@pytest.mark.parametrize("job", ["--minimize", "--rerun"])
def test_other_jobs_say_the_same_on_any_ranks(job, tmp_path):
    outputs = []
    for n_ranks in (1, 3):
        folder = tmp_path / str(n_ranks)
        folder.mkdir()
        small_case(folder, start="periodic")
        words = ["--minimize"]
        if job == "--rerun":
            made = dynamic_on(1, folder, "case", 20, 1.0, 0.005, 2, 300.0)
            assert made.returncode == 0, made.stderr
            (folder / "case.dyn").unlink()
            words = ["--rerun", "case.arc"]
        done = dynamic_on(n_ranks, folder, "case", *words)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        begin = next(k for k, line in enumerate(lines) if "RMS Force" in line)
        outputs.append([line for line in lines[begin:] if line.strip()[:1].isdigit()])
    assert outputs[0]
    for one, three in zip(*outputs, strict=True):
        assert [float(word) for word in one.split()] == pytest.approx(
            [float(word) for word in three.split()], rel=1e-6, abs=2e-4)


def test_frames_of_h5_are_refused_once(tmp_path):
    folder = small_case(tmp_path, start="periodic")
    (folder / "case.h5").touch()
    done = dynamic_on(3, folder, "case", "--rerun", "case.h5")
    assert done.returncode != 0
    assert done.stderr.count("goes on one rank") == 1, done.stderr


@pytest.mark.parametrize(("way", "reason"), [("file", "case.end"), ("maxh", "maxh")])
def test_all_ranks_stop_at_the_same_step(way, reason, tmp_path):
    folder = small_case(tmp_path, start="periodic")
    if way == "file":
        (folder / "case.end").touch()
    else:
        with (folder / "case.key").open("a") as key:
            key.write("maxh 1e-6\n")
    done = dynamic_on(3, folder, "case", 100000, 1.0, 0.05, 2, 300.0)
    assert done.returncode == 0, done.stderr
    assert any(f"stopped at step {step}: {reason}" in done.stdout for step in (0, 1))
    assert not (folder / "case.end").exists()
