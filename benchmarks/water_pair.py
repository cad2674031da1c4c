# SPDX-License-Identifier: MIT
"""The water pair in two levels against one: long runs to be looked at, and speed in turns.

    python benchmarks/water_pair.py run FOLDER CASE [CASE ...] [--ps 20] [--friction 1]
    python benchmarks/water_pair.py speed FOLDER [--turns 5] [--seconds 5]

A killed run is resumed by the same call. `python benchmarks/liquid.py FOLDER/*/water.h5` says what
the runs show, the first one being compared with. `speed` runs all cases for a few seconds, one
after the other, several times over, and prints medians of ns/day over that of single steps of 1 fs
in the same turn, with the bound Δt/(1 + n c) from the cost of the two models in that run.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("fennix-dynamic"))
REPOSITORY = Path(__file__).resolve().parents[1]
FRAME_PS = 0.03


@dataclass
class Case:
    """Outer step in fs, inner steps (0: one level), heavier hydrogens."""

    outer: float
    substeps: int
    heavy: bool = False

    def keywords(self, accurate: str, fast: str) -> list[str]:
        """Lines of the keyfile."""
        if not self.substeps:
            return ["integrator baoab", f"ml-model {accurate}"]
        lines = ["integrator baoabrespa", f"ml-model {accurate}", f"ml-model-fast {fast}",
                 f"dshort {1e-3 * self.outer / self.substeps!r}"]
        return lines + ["heavy-hydrogen"] * self.heavy


CASES = {
    "single-1fs": Case(1.0, 0),
    "two-2x1": Case(2.0, 2),
    "two-3x1": Case(3.0, 3),
    "two-4x1": Case(4.0, 4),
    "heavy-4x1.5": Case(6.0, 4, heavy=True),
    "heavy-3x2": Case(6.0, 3, heavy=True),
    "heavy-6x1": Case(6.0, 6, heavy=True),
    "heavy-3x1.5": Case(4.5, 3, heavy=True),
}


def start(folder: Path, name: str, arguments: argparse.Namespace, steps: int,
          frame_ps: float) -> tuple[list[str], Path]:
    """Write the input of a case; the command and its folder."""
    case, place = CASES[name], folder / name
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "examples" / "01_water" / "water.xyz", place / "water.xyz")
    lines = [*case.keywords(arguments.accurate, arguments.fast), "a-axis 18.643",
             f"friction {arguments.friction}", "ml-threads 1", "printout 100",
             f"randomseed {arguments.seed}", *arguments.keyword]
    (place / "water.key").write_text("\n".join(lines) + "\n")
    return [PROGRAM, "water", str(steps), str(case.outer), str(frame_ps), "2",
            str(arguments.temperature)], place


def run(arguments: argparse.Namespace) -> None:
    """Each case, to its end."""
    for name in arguments.cases:
        steps = round(1000 * arguments.ps / CASES[name].outer)
        command, place = start(arguments.folder, name, arguments, steps, FRAME_PS)
        if (place / "water.chk").exists():
            command.append("--resume")
        with open(place / "water.log", "a") as log:
            subprocess.run(command, cwd=place, stdout=log, check=True)
        print(f"{name}: done", flush=True)


def measure(folder: Path, name: str, arguments: argparse.Namespace, ns_per_day: float):
    """(ns/day, ms of the accurate, ms of the fast model) of a run of about some seconds."""
    ps = ns_per_day * 1e3 / 86400 * arguments.seconds
    steps = max(20, round(1000 * ps / CASES[name].outer))
    shutil.rmtree(folder / name, ignore_errors=True)
    command, place = start(folder, name, arguments, steps, 1e3)
    log = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True,
                         env=os.environ | {"OMP_NUM_THREADS": "1"}).stdout
    speed = float(re.search(r"Speed\s+([\d.]+) ns/day", log).group(1))
    cost = {level: float(found.group(1)) if found else 0.0 for level in ("accurate", "fast")
            for found in [re.search(rf"{level} model\s+\d+\s+([\d.]+)", log)]}
    return speed, cost["accurate"], cost["fast"]


def speed(arguments: argparse.Namespace) -> None:
    """All cases in turns."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in arguments.cases}
    known = dict.fromkeys(arguments.cases, 3.0)
    for _ in range(arguments.turns):
        for name in arguments.cases:
            found[name].append(measure(arguments.folder / "speed", name, arguments, known[name]))
            known[name] = found[name][-1][0]
    base = found["single-1fs"]
    print(f"{'case':14s} {'ns/day':>8s} {'ratio':>7s} {'range':>13s} {'bound':>7s} {'c':>7s}")
    for name, rows in found.items():
        ratios = [row[0] / one[0] for row, one in zip(rows, base, strict=True)]
        case = CASES[name]
        c = statistics.median(row[2] / row[1] for row in rows)
        bound = case.outer / (1.0 + case.substeps * c)
        print(f"{name:14s} {statistics.median(r[0] for r in rows):8.2f} "
              f"{statistics.median(ratios):7.2f} {min(ratios):6.2f}-{max(ratios):.2f} "
              f"{bound:7.2f} {c:7.3f}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "speed"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--ps", type=float, default=20.0)
    parser.add_argument("--temperature", type=float, default=300.0)
    parser.add_argument("--friction", type=float, default=1.0, help="of the thermostat, 1/ps")
    parser.add_argument("--accurate", default="water-accurate")
    parser.add_argument("--fast", default="water-fast")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keyword", action="append", default=[], help="another line of the key")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    arguments.cases = arguments.cases or ["single-1fs", "two-3x1", "heavy-4x1.5"]
    unknown = sorted(set(arguments.cases) - set(CASES))
    if unknown:
        parser.error(f"no such case: {unknown[0]}; there are {', '.join(CASES)}")
    {"run": run, "speed": speed}[arguments.what](arguments)


if __name__ == "__main__":
    main()
