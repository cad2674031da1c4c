# SPDX-License-Identifier: MIT
"""Energy, forces and virial of every case on the ranks of this launch: `forces.py OUT.npz`."""

from __future__ import annotations

import sys

import ase
import numpy as np
from cases import SHAPES, models, systems, wanted
from mpi4py import MPI

import pyfennix


def main(path: str) -> None:
    """Evaluate all cases; rank 0 writes what it found, every rank must have found the same."""
    comm = MPI.COMM_WORLD
    found = {}
    for name, (numbers, positions, cell) in systems().items():
        atoms = ase.Atoms(numbers=numbers, positions=positions, cell=cell, pbc=cell is not None)
        for kind, (model, halo) in models().items():
            if not wanted(name, kind):
                continue
            for shape in SHAPES[comm.size]:
                keywords = {"halo": halo, "decomp3d": " ".join(map(str, shape))}
                sim = pyfennix.Simulation(
                    atoms, model, ensemble="nve", dtype="float64", threads=1, temperature=0.0,
                    keywords=keywords, comm=comm)
                key = f"{name}|{kind}|{'x'.join(map(str, shape))}"
                answer = np.concatenate(
                    [[sim.energy.potential], sim.virial.ravel(), sim.forces.ravel()])
                everywhere = comm.allgather(answer.tobytes())
                assert len(set(everywhere)) == 1, f"{key}: ranks got different answers"
                found[key] = answer
                sim.close()
    if comm.rank == 0:
        np.savez(path, **found)


if __name__ == "__main__":
    main(sys.argv[1])
