# SPDX-License-Identifier: MIT
"""Energy and forces against FeNNol's: same weights, same boxes of water, same cores, alternating.

    python benchmarks/against_fennol.py --fennol .fennol-env/bin/python --model bio1M=bio1M.fnx

Two processes stay alive, one in each interpreter, and evaluate in turns, so that both meet the
same disturbances; positions change at every call. What is printed are medians: of the evaluation
alone, on a list that is there, and of a step as in molecular dynamics, on a list with a skin that
is cut to the cutoff first. A model without a file gets random weights from FeNNol.
docs/performance.md explains the columns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boxes
from worker import Worker

TOOLS = Path(__file__).resolve().parents[1] / "tools" / "fennol"
SIZES = (198, 648, 3000, 12000)
MODELS = ("bio1M", "bio1S", "distilled", "ani1x")
REQUIRED = {"bio1M": 3.0, "bio1S": 3.0, "distilled": 2.0, "ani1x": 2.0}
REQUIRED_FROM = 648  # atoms
REBUILD_REQUIRED, REBUILD_AT = 10.0, 12000
WARM_UP = 2
PAUSE = 0.1  # s, in which the other side returns its memory instead of later on our time
SIDES = ("ours", "fennol")


def main() -> None:
    """All cases asked for, a line for each as it ends."""
    options = arguments()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        box = Path(folder) / "box.npz"
        files = {name: model_file(name, options, Path(folder)) for name in options.models}
        print(HEAD)
        for size in options.sizes:
            boxes.save(box, boxes.read_xyz(options.structure, options.edge) if options.structure
                       else boxes.water_box(size))
            for name in options.models:
                for threads in options.threads:
                    row = measure(files[name], box, threads, options)
                    row |= {"model": name, "threads": threads,
                            "atoms": len(boxes.load(box)[0])}
                    rows.append(row)
                    print(line(row), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def measure(model: str, box: Path, threads: int, options: argparse.Namespace) -> dict:
    """Medians of one case, in seconds and GB, by side and command."""
    sides = {"ours": (sys.executable, "worker_pyfennix.py")}
    if not options.alone:
        sides["fennol"] = (options.fennol, "worker_fennol.py")
    workers = {side: Worker(*where, [model, str(box)], threads) for side, where in sides.items()}
    row: dict = {side: {"check": worker.ask("check")} for side, worker in workers.items()}
    for command in options.commands:
        for worker in workers.values():
            for _ in range(WARM_UP):
                worker.ask(command)
            if command == options.commands[0]:
                worker.ask("forget")
        times: dict = {side: [] for side in workers}
        for _ in range(options.turns):
            for side, worker in workers.items():
                time.sleep(PAUSE)
                times[side].append(worker.ask(command))
        for side in workers:
            row[side][command] = {
                kind: statistics.median(time[kind] for time in times[side])
                for kind in ("wall", "cpu")
            }
        if command == "step":
            for side, worker in workers.items():
                row[side]["memory"] = worker.ask("memory")["peak"]
    for worker in workers.values():
        worker.close()
    return row


COLUMNS = ("atoms", "model", "threads", "what", "ours", "cpu", "FeNNol", "cpu", "ratio", "cpu",
           "asked", "GB ours", "FeNNol", "ΔE/atom")
WIDTHS = (7, 10, 8, 9, 9, 9, 9, 9, 7, 7, 6, 8, 8, 10)
HEAD = ("median ms, wall and process CPU; ratio FeNNol / ours; eV\n"
        + "".join(f"{name:>{width}s}" for name, width in zip(COLUMNS, WIDTHS, strict=True)))


def line(row: dict) -> str:
    """The table's lines of one case."""
    lines = []
    for command in ("evaluate", "step", "rebuild"):
        if command not in row["ours"]:
            continue
        words = [str(row["atoms"]), row["model"], str(row["threads"]), command]
        for side in SIDES:
            times = row.get(side, {}).get(command)
            words += [f"{1e3 * times[kind]:.1f}" if times else "" for kind in ("wall", "cpu")]
        words += verdict(row, command)
        if command == "step":
            words += [f"{row[side]['memory']:.2f}" if side in row else "" for side in SIDES]
        if command == "evaluate" and "fennol" in row:
            energies = [row[side]["check"]["energy"] for side in SIDES]
            words += ["", "", f"{(energies[0] - energies[1]) / row['atoms']:.1e}"]
        lines.append("".join(f"{word:>{width}s}"
                             for word, width in zip(words, WIDTHS, strict=False)))
    return "\n".join(lines)


def verdict(row: dict, command: str) -> list[str]:
    """Both ratios and what is required of the one of wall times."""
    if "fennol" not in row:
        return ["", "", ""]
    ratios = [row["fennol"][command][kind] / row["ours"][command][kind]
              for kind in ("wall", "cpu")]
    asked = REQUIRED.get(row["model"], 0.0) if row["atoms"] >= REQUIRED_FROM else 0.0
    if command == "rebuild":
        asked = REBUILD_REQUIRED if row["atoms"] >= REBUILD_AT else 0.0
    return [f"{ratio:.2f}" for ratio in ratios] + [f"{asked:.0f}" if asked else "-"]


def model_file(name: str, options: argparse.Namespace, folder: Path) -> str:
    """The checkpoint given for this name, or one with random weights made by FeNNol."""
    given = dict(entry.partition("=")[::2] for entry in options.model)
    if name in given:
        return given[name]
    path = folder / f"{name}.fnx"
    subprocess.run([str(options.fennol), str(TOOLS / "fennol_side.py"), "create", name, "1",
                    str(path)], check=True, capture_output=True)
    return str(path)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fennol", type=Path, required=True, help="FeNNol's Python interpreter")
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--model", action="append", default=[], metavar="NAME=FILE.fnx")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="atoms")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--commands", nargs="+", default=["evaluate", "step", "rebuild"],
                        choices=("evaluate", "step", "rebuild"))
    parser.add_argument("--alone", action="store_true", help="only our side")
    parser.add_argument("--structure", type=Path, help="a Tinker xyz file instead of water")
    parser.add_argument("--edge", type=float, help="edge of its cubic box, Å")
    parser.add_argument("--json", type=Path, help="write the medians there")
    options = parser.parse_args()
    if options.structure:
        if options.edge is None:
            parser.error("--structure needs --edge")
        options.sizes = [0]
    return options


if __name__ == "__main__":
    main()
