# SPDX-License-Identifier: MIT
"""A Simulation that several ranks share, used as a script would: `python_run.py OUT.npz`."""

from __future__ import annotations

import sys

import ase
import numpy as np
from helpers.runs import MODELS, reference
from mpi4py import MPI

import pyfennix

STEPS = 20


def simulation(comm, **more):
    """48 atoms on two levels."""
    numbers, positions, velocities, cell = reference("periodic")
    if comm is not None and comm.rank > 0:
        positions = positions + 1.0  # what other ranks are given does not count
    atoms = ase.Atoms(numbers=numbers, positions=positions, cell=cell, pbc=True)
    return pyfennix.Simulation(
        atoms, f"{MODELS / 'pairs.py'}:Accurate", f"{MODELS / 'pairs.py'}:Fast", dt=1.0, substeps=2,
        ensemble="nvt", temperature=300.0, seed=5, dtype="float64", threads=1,
        velocities=velocities, comm=comm, **more)


def facts(sim) -> dict[str, np.ndarray]:
    """What the properties give."""
    return {
        "positions": sim.positions, "velocities": sim.velocities, "forces": sim.forces,
        "fast": sim.forces_fast, "virial": sim.virial, "numbers": sim.numbers,
        "masses": sim.masses, "cell": sim.cell,
        "observables": np.array([*sim.observables.values()]), "step": np.array(sim.step),
    }


def main(path: str) -> None:
    """Run, read, set, run again; then the same alone on rank 0."""
    comm = MPI.COMM_WORLD
    sim = simulation(comm)
    frames = [frame.positions for frame in sim.trajectory(STEPS, every=5)]
    found = {f"run {key}": value for key, value in facts(sim).items()}
    found["frames"] = np.array(frames)
    sim.positions = sim.positions + 0.01 * np.sin(np.arange(144.0)).reshape(48, 3)
    sim.velocities = 0.5 * sim.velocities
    sim.run(3)
    found |= {f"set {key}": value for key, value in facts(sim).items()}
    everywhere = comm.allgather([value.tobytes() for value in found.values()])
    assert all(answers == everywhere[0] for answers in everywhere)
    refused = ""
    try:
        sim.positions = sim.positions * np.nan
    except pyfennix.FennixError as error:
        refused = str(error)
    assert refused
    try:  # two atoms at one place: the model's forces are no numbers, on whichever rank
        sim.positions = np.zeros((48, 3))
    except pyfennix.FennixError as error:
        refused = str(error)
    assert "not finite" in refused, refused
    assert len(set(comm.allgather(refused))) == 1
    assert np.abs(sim.positions - found["set positions"]).max() == 0.0
    sim.run(1)
    sim.close()
    half = comm.Split(comm.rank % 2, -comm.rank)
    with simulation(half) as other:
        other.run(2)
    if comm.rank == 0:
        np.savez(path, **found)


if __name__ == "__main__":
    main(sys.argv[1])
