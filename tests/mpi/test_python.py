"""Simulation(comm=…): every rank gets the numbers that one process alone gets."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from helpers.ranks import WORKERS, run_script, run_worker

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


SCRIPTS = {
    "an exception on one rank inside with": """
    with pyfennix.Simulation(water(), "water-fast", comm=comm) as sim:
        if comm.rank == 1:
            raise RuntimeError("only here")
        sim.run(100000)
    """,
    "a property that is set on rank 0 only": """
    sim = pyfennix.Simulation(water(), "water-fast", comm=comm, ensemble="nve", temperature=0.0)
    before = sim.positions
    sim.positions = before + 0.01 if comm.rank == 0 else None
    assert abs(sim.positions - before - 0.01).max() < 1e-12
    sim.close()
    tell("done")
    """,
    "a keyfile that only rank 0 can see": """
    try:
        pyfennix.Simulation("nowhere.key" if comm.rank == 0 else "elsewhere.key", comm=comm)
    except pyfennix.InputError as error:
        tell(str(error))
    """,
    "other models on other ranks": """
    name = "water-fast" if comm.rank == 0 else pyfennix.load_model("water-accurate")
    try:
        pyfennix.Simulation(water(), name, comm=comm)
    except pyfennix.FennixError as error:
        tell(str(error))
    """,
}
BEGIN = """
from mpi4py import MPI
import ase
import pyfennix

comm = MPI.COMM_WORLD


def tell(text):
    open(f"told{comm.rank}", "w").write(text)


def water():
    places = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [3, 0, 0], [4, 0, 0], [3, 1, 0]]
    return ase.Atoms("OHHOHH", places)


if True:"""
TOLD = {"a property that is set on rank 0 only": "done",
        "a keyfile that only rank 0 can see": "nowhere.key: the keyfile is missing",
        "other models on other ranks": "the ranks have different models"}


@pytest.mark.parametrize("case", SCRIPTS)
def test_a_script_that_treats_ranks_differently_does_not_hang(case, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(BEGIN + SCRIPTS[case])
    done = run_script(2, script)
    if case in TOLD:
        assert done.returncode == 0, done.stderr
        for rank in (0, 1):
            assert TOLD[case] in (tmp_path / f"told{rank}").read_text()
    else:
        assert done.returncode != 0
        assert "only here" in done.stderr
