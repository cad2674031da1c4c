"""200 random small systems on random bricks: the run of one rank, and no deadlock."""

from __future__ import annotations

import pytest
from helpers.ranks import run_worker

pytestmark = [pytest.mark.mpi, pytest.mark.slow]

# ranks, systems, how many of them must be compared, and the seconds after which a launch stops with
# those it has: two and three ranks do all on a busy machine of two cores as well
LAUNCHES = ((2, 80, 80, 400), (3, 60, 60, 400), (5, 30, 10, 90), (8, 30, 10, 90))


@pytest.mark.parametrize(("n_ranks", "count", "at_least", "seconds"), LAUNCHES)
def test_random_systems(n_ranks, count, at_least, seconds, tmp_path):
    done = run_worker(n_ranks, "random_systems", n_ranks, count, seconds, folder=tmp_path,
                      timeout=3 * seconds)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= at_least, "too few systems in the time"
