"""What the driver and its bridge cost: a model that does nothing, per evaluation.

Usage: python benchmarks/driver.py [atoms ...]   (default 648 25000)

The null model returns zero without looking at a pair, so that what is left is the engine, the
call into Python, the views of its arrays and the graph.
"""

from __future__ import annotations

import sys
import time

import ase
import numpy as np
import torch

import pyfennix
from pyfennix.models.interface import Model


class Null(Model):
    """No energy."""

    cutoff = 3.5

    def forward(self, graph):
        """Zeros, one per atom."""
        return torch.zeros(graph.n_center, dtype=graph.vectors.dtype)


def measure(n, steps=200):
    """Wall and CPU time of an outer step (µs) of n atoms at the density of water."""
    side = (n * 10.0) ** (1.0 / 3.0)
    per_side = int(np.ceil(n ** (1.0 / 3.0)))
    grid = np.stack(np.meshgrid(*[np.arange(per_side)] * 3, indexing="ij"), -1).reshape(-1, 3)[:n]
    atoms = ase.Atoms(numbers=[8] * n, positions=(grid + 0.5) * side / per_side,
                      cell=[side] * 3, pbc=True)
    sim = pyfennix.Simulation(atoms, accurate=Null(), dt=1.0, ensemble="nve", temperature=300,
                              threads=1, seed=1)
    sim.run(5)
    begin = time.perf_counter(), time.process_time()
    sim.run(steps)
    end = time.perf_counter(), time.process_time()
    return [1e6 * (e - b) / steps for b, e in zip(begin, end, strict=True)]


def main():
    """One line for each size."""
    for n in [int(word) for word in sys.argv[1:]] or [648, 25000]:
        wall, cpu = measure(n)
        print(f"{n:7d} atoms: {wall:10.1f} µs wall, {cpu:10.1f} µs CPU a step")


if __name__ == "__main__":
    main()
