# SPDX-License-Identifier: MIT
"""Parallel efficiency of each level on this machine, against the machine's own ceiling.

Usage: python benchmarks/ranks.py [--ranks 2] [--atoms 1296 5184 11664] [--xyz FILE EDGE ...]

For each system and level, in turn and several times over: N independent runs on one rank at once
(what N busy cores can do), and one run on N ranks. Efficiency is the time of a step of the former
divided by N times that of the latter, one thread each, medians of paired turns.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

WATER = Path(__file__).resolve().parents[1] / "examples" / "01_water" / "water.xyz"
EDGE = 18.643
REPEATS = {648: (1, 1, 1), 1296: (2, 1, 1), 2592: (2, 2, 1), 5184: (2, 2, 2), 11664: (3, 3, 2)}
KEYS = """\
a-axis {0}
b-axis {1}
c-axis {2}
integrator baoab
friction 5.0
ml-model {model}
ml-threads 1
randomseed 1
archive off
h5md off
restart-files off
printout 1000000
"""
LAUNCH = ("mpirun", "--oversubscribe", "--bind-to", "none", "-n")


def replicated(folder: Path, n_atoms: int) -> tuple[Path, list[float]]:
    """The water of the example, repeated; its file and box edges in Å."""
    rows = [line.split() for line in WATER.read_text().splitlines()[1:]]
    names = [row[1] for row in rows]
    positions = np.array([row[2:5] for row in rows], dtype=float)
    repeats = REPEATS[n_atoms]
    cells = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), -1).reshape(-1, 3)
    lines = [f"{n_atoms:6d}  water"]
    for cell in cells:
        for name, (x, y, z) in zip(names, positions + EDGE * cell, strict=True):
            lines.append(f"{len(lines):6d}  {name:<3s}{x:12.6f}{y:12.6f}{z:12.6f}{1:6d}")
    path = folder / f"{n_atoms}.xyz"
    path.write_text("\n".join(lines) + "\n")
    return path, [EDGE * n for n in repeats]


def prepare(folder: Path, xyz: Path, edges: list[float], model: str) -> Path:
    """A folder to run in."""
    folder.mkdir(parents=True)
    shutil.copy(xyz, folder / "water.xyz")
    (folder / "water.key").write_text(KEYS.format(*edges, model=model))
    return folder


def run(folder: Path, n_ranks: int, steps: int) -> dict[str, float]:
    """Milliseconds of a step, and shares in per cent, from the closing table."""
    program = Path(sys.executable).with_name("fennix-dynamic")
    line = [*LAUNCH, str(n_ranks), str(program), "water", str(steps), "1.0", "100.0", "2", "300.0"]
    extra = {"OMP_NUM_THREADS": "1"}
    if os.geteuid() == 0:
        extra |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(line, cwd=folder, env=os.environ | extra, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    found = {"model": 0.0, "pair lists": 0.0, "communication": 0.0, "ghosts": 0.0}
    for row in done.stdout.splitlines():
        if row.startswith(" loop, outer steps"):
            found["step"] = float(row[35:49])
        elif row.startswith((" accurate model", " pair lists")):
            found[row[1:23].replace("accurate ", "").strip()] = float(row[63:71])
        elif "of which communication" in row:
            found["communication"] = float(row.split("communication")[1].split()[0])
        elif row.startswith(" Level 1:"):
            words = row.replace(",", "").split()
            found["ghosts"] = float(words[words.index("ghosts") + 1])
    return found


def measure(folder: Path, xyz: Path, edges: list[float], model: str, n_ranks: int,
            options: argparse.Namespace) -> None:
    """Both ways in turn; prints a row."""
    alone = [prepare(folder / f"alone{k}", xyz, edges, model) for k in range(n_ranks)]
    together = prepare(folder / "together", xyz, edges, model)
    n = int(xyz.read_text().split(maxsplit=1)[0])
    cost = 12e-6 if model == "water-fast" else 45e-6  # s a step and atom, for the number of steps
    steps = max(10, int(options.seconds / (cost * n)))
    ratios, ceilings, steps_together, last = [], [], [], {}
    with ThreadPoolExecutor(n_ranks) as pool:
        for _ in range(options.turns):
            single = list(pool.map(lambda place: run(place, 1, steps), alone))
            last = run(together, n_ranks, steps)
            ceiling = statistics.mean(found["step"] for found in single)
            ceilings.append(ceiling)
            steps_together.append(last["step"])
            ratios.append(ceiling / (n_ranks * last["step"]))
    print(f"{n:7d} {model:15s} {n_ranks:5d} {statistics.median(ceilings):12.2f} "
          f"{statistics.median(steps_together):12.2f} {100 * statistics.median(ratios):9.1f} % "
          f"({100 * min(ratios):.0f} to {100 * max(ratios):.0f}) {last['communication']:8.1f} % "
          f"{single[0]['pair lists']:8.1f} % {last['pair lists']:6.1f} % {last['ghosts']:8.0f}",
          flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--atoms", type=int, nargs="*", default=[1296, 5184, 11664],
                        choices=sorted(REPEATS))
    parser.add_argument("--xyz", nargs=2, action="append", default=[], metavar=("FILE", "EDGE"),
                        help="other water in a cubic box, edge in Å")
    parser.add_argument("--models", nargs="*", default=["water-accurate", "water-fast"])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a run on one rank, about")
    options = parser.parse_args()
    print("  atoms model           ranks  alone, ms  together, ms  efficiency (range)   "
          "communication  pair lists alone, together  ghosts")
    with tempfile.TemporaryDirectory() as name:
        systems = [replicated(Path(name), n) for n in options.atoms if not options.xyz]
        systems += [(Path(path), [float(edge)] * 3) for path, edge in options.xyz]
        for k, (xyz, edges) in enumerate(systems):
            for model in options.models:
                measure(Path(name) / f"{k}-{model}", xyz, edges, model, options.ranks, options)


if __name__ == "__main__":
    main()
