"""Until domain decomposition exists, several ranks are refused with one sentence."""

from __future__ import annotations

import shutil

import pytest
from helpers.runs import dynamic, small_case

pytestmark = pytest.mark.mpi


def test_two_ranks_are_refused(tmp_path):
    assert shutil.which("mpirun"), "Open MPI is a requirement"
    launcher = ("mpirun", "-n", 2, "--oversubscribe")
    done = dynamic(small_case(tmp_path), "case", 10, 1.0, 0.005, 2, 300.0, before=launcher)
    assert done.returncode != 0
    sentences = [line for line in done.stderr.splitlines() if line.startswith("fennix-dynamic:")]
    assert len(sentences) == 1, done.stderr
    assert "2 ranks" in sentences[0]
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "case.arc").exists()


def test_one_rank_under_mpirun_runs(tmp_path):
    done = dynamic(small_case(tmp_path), "case", 2, 1.0, 0.001, 2, 300.0,
                   before=("mpirun", "-n", 1))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "case.arc").exists()
