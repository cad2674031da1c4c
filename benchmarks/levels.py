"""Cost of the accurate and of the fast model at 648 atoms, one after the other in one process.

Usage: python benchmarks/levels.py [--evaluations 20] [--threads 1] [--dtype float32]

CPU time of the process is what a model costs; wall time also shows what else the machine does.
Evaluations alternate, so that both models meet the same disturbances, and medians are printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch

import pyfennix
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.graph import Topology
from pyfennix.models.pairs import build_pairs

WATER = Path(__file__).resolve().parents[1] / "examples" / "01_water" / "water.xyz"
SIDE, SKIN = 18.643, 0.5


def prepared(name, dtype):
    """A model and its arguments at the start of the water example, the pair list with its skin."""
    model = pyfennix.load_model(name, dtype=dtype, device="cpu").eval().requires_grad_(False)
    positions = np.loadtxt(WATER, skiprows=1, usecols=(2, 3, 4))
    n = len(positions)
    cell = SIDE * np.eye(3)
    lists = build_pairs(positions, cell, model.cutoff + SKIN)
    topology = Topology.from_csr(np.tile([8, 1, 1], n // 3), *lists, n, n, n)
    return model, topology, torch.tensor(positions), torch.tensor(cell)


def main():
    """Print medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    levels = {name: prepared(name, options.dtype) for name in ("water-accurate", "water-fast")}
    cpu = {name: [] for name in levels}
    wall = {name: [] for name in levels}
    for turn in range(options.evaluations + 3):
        for name, arguments in levels.items():
            begin = time.process_time(), time.perf_counter()
            evaluate_topology(*arguments, want_forces=True, want_virial=name == "water-accurate")
            end = time.process_time(), time.perf_counter()
            if turn >= 3:  # the first ones allocate
                cpu[name].append(1e3 * (end[0] - begin[0]))
                wall[name].append(1e3 * (end[1] - begin[1]))
    print(f"648 atoms, {options.dtype}, {options.threads} threads, {options.evaluations} turns")
    for name, (model, topology, *_) in levels.items():
        middle = statistics.median(cpu[name]), statistics.median(wall[name])
        print(f"{name:16s} cutoff {model.cutoff:5.2f} Å {len(topology.neighbor):8d} pairs listed "
              f"CPU {middle[0]:8.2f} ms  wall {middle[1]:8.2f} ms")
    ratios = [statistics.median(times["water-accurate"]) / statistics.median(times["water-fast"])
              for times in (cpu, wall)]
    print(f"accurate / fast: CPU {ratios[0]:.2f}, wall {ratios[1]:.2f}")


if __name__ == "__main__":
    main()
