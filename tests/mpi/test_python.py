"""Simulation(comm=…): every rank gets the numbers that one process alone gets."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from helpers.ranks import WORKERS, run_worker

pytestmark = pytest.mark.mpi


@pytest.mark.parametrize("n_ranks", [2, 4])
def test_ranks_share_a_simulation(n_ranks, tmp_path):
    found = []
    for n in (1, n_ranks):
        done = run_worker(n, "python_run", tmp_path / f"{n}.npz", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        with np.load(tmp_path / f"{n}.npz") as file:
            found.append(dict(file))
    assert found[0].keys() == found[1].keys()
    for key, alone in found[0].items():
        scale = max(1.0, np.abs(alone).max())
        assert np.abs(found[1][key] - alone).max() < 1e-9 * scale, key


def test_a_communicator_must_be_one():
    sys.path.insert(0, str(WORKERS))
    from python_run import simulation

    from pyfennix import InputError

    class NotOne:
        rank = 0

    with pytest.raises(InputError, match="communicator of mpi4py"):
        simulation(NotOne())


def test_a_model_that_one_rank_cannot_read(tmp_path):
    script = tmp_path / "only_here.py"
    script.write_text(
        "from mpi4py import MPI\nimport ase\nimport pyfennix\n"
        "comm = MPI.COMM_WORLD\n"
        "name = 'water-fast' if comm.rank == 0 else object()\n"
        "try:\n"
        "    pyfennix.Simulation(ase.Atoms('OHH', [[0, 0, 0], [1, 0, 0], [0, 1, 0]]), name,"
        " comm=comm)\n"
        "except pyfennix.FennixError as error:\n"
        "    open(f'told{comm.rank}', 'w').write(str(error))\n")
    done = run_worker(2, script.with_suffix(""), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for rank in (0, 1):
        assert "object is no model" in (tmp_path / f"told{rank}").read_text()
