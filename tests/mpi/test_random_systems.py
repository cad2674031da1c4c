"""200 random small systems on random bricks: the run of one rank, and no deadlock."""

from __future__ import annotations

import pytest
from helpers.ranks import run_worker

pytestmark = [pytest.mark.mpi, pytest.mark.slow]

# ranks, systems; each launch is stopped after so many seconds with what it has compared
LAUNCHES = ((2, 80), (3, 60), (5, 30), (8, 30))
SECONDS, AT_LEAST = 90, 10


@pytest.mark.parametrize(("n_ranks", "count"), LAUNCHES)
def test_random_systems(n_ranks, count, tmp_path):
    done = run_worker(n_ranks, "random_systems", n_ranks, count, SECONDS, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= (count if n_ranks < 4 else AT_LEAST), "too few systems in the time"
