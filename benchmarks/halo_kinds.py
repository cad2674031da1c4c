# SPDX-License-Identifier: MIT
"""Features exchanged against a wide halo: ghosts, pairs and time of a rank, on virtual ranks.

Usage: python benchmarks/halo_kinds.py [--atoms 5184 11664] [--ranks 2 4 8] [--xyz FILE EDGE ...]

One process plays each rank in turn with water-accurate, one thread, float32; nobody sends features,
so the time of an exchange itself is not in it. Also the time of a single rank, for the sum of work.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from ranks import REPEATS, replicated

import pyfennix
from pyfennix.virtual_ranks import VirtualRanks, evaluate_view

SKIN = 1.0
NUMBERS = {"O": 8, "H": 1}


def read(path: Path, edges: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers, positions and cell of a water box."""
    rows = [line.split() for line in path.read_text().splitlines()[1:]]
    rows = [row for row in rows if row[1:2] and row[1][0] in NUMBERS]
    numbers = np.array([NUMBERS[row[1][0]] for row in rows])
    return numbers, np.array([row[2:5] for row in rows], dtype=float), np.diag(edges)


def cost(model, ranks, view, exchanging: bool, turns: int) -> float:
    """Median milliseconds of an evaluation."""
    topology = ranks.topology(view)
    times = []
    for turn in range(turns + 1):
        begin = time.perf_counter()
        evaluate_view(model, ranks, view, topology, exchanging)
        if turn:
            times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times)


def compare(model, system, n_ranks: int, turns: int) -> None:
    """A row: means over the ranks of ghosts and pairs, and time."""
    reach = model.cutoff + SKIN
    ranks = VirtualRanks(*system, n_ranks, halo=reach)
    found = []
    for rank in range(n_ranks):
        near = ranks.see(rank, reach, reach)
        wide = ranks.see(rank, model.halo + SKIN, reach, model.center_halo + SKIN)
        found.append((
            near.n_total - near.n_local, wide.n_total - wide.n_local, near.n_edges, wide.n_edges,
            cost(model, ranks, near, n_ranks > 1, turns), cost(model, ranks, wide, False, turns)))
    ghosts, wide_ghosts, pairs, wide_pairs, ms, wide_ms = np.mean(found, axis=0)
    n = len(system[0])
    print(f"{n:7d} {n_ranks:5d} {'x'.join(map(str, ranks.bricks)):>8s} "
          f"{ranks.owned.max() / n:9.3f} {ghosts:9.0f} {wide_ghosts:9.0f} {pairs:10.0f} "
          f"{wide_pairs:10.0f} {ms:9.1f} {wide_ms:9.1f} {wide_ms / ms:7.2f}", flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, nargs="*", default=[5184, 11664],
                        choices=sorted(REPEATS))
    parser.add_argument("--xyz", nargs=2, action="append", default=[], metavar=("FILE", "EDGE"))
    parser.add_argument("--ranks", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = pyfennix.load_model("water-accurate", dtype="float32", device="cpu")
    model = model.eval().requires_grad_(False)
    print("  atoms ranks   bricks largest share ghosts: exchange, wide  pairs: exchange, wide"
          "    ms: exchange, wide   ratio")
    with tempfile.TemporaryDirectory() as name:
        files = [replicated(Path(name), n) for n in options.atoms if not options.xyz]
        files += [(Path(path), [float(edge)] * 3) for path, edge in options.xyz]
        for path, edges in files:
            system = read(path, edges)
            for n_ranks in options.ranks:
                compare(model, system, n_ranks, options.turns)


if __name__ == "__main__":
    main()
