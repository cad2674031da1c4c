# SPDX-License-Identifier: MIT
"""A hole planted in a fast model, found by harvesting, mended by a repair.

    python benchmarks/planted_hole.py FOLDER [--threads 1]

A fast model of a droplet of water learns from dynamics at 60 K alone and knows nothing of warmer
geometries. Two-level dynamics at 350 K harvests what it gets wrong; `pyfennix distill --repair`
mends it, from these frames and the cold ones. A control is the same command without the harvested
frames: it moves cold geometries about, which mends a part. Printed are the errors of the three
models on frames of accurate dynamics at 350 K that nobody learned from, and what they harvest.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

import pyfennix as fx
from pyfennix.distillation.testing import frame_errors
from pyfennix.training.frames import Frame
from pyfennix.training.settings import TrainSettings
from pyfennix.training.store import read_store, write_store
from pyfennix.units import EV_IN_KCAL

PROGRAMS = Path(sys.executable).parent
HERE = Path(__file__).resolve().parents[1] / "examples" / "05_distill"
COLD, HOT, THRESHOLD, STEPS = 60.0, 350.0, 15.0, 3000  # K, K, kcal/mol/Å, outer steps of 2 fs
KEY = """integrator baoabrespa
ml-model water-accurate
ml-model-fast {fast}
dshort 0.001
friction 5.0
ml-threads {threads}
randomseed {seed}
harvest-force {threshold}
harvest-max 400
"""


def dynamics(path: Path, temperature: float, seed: int, threads: int) -> list[Frame]:
    """Labelled frames of 4 ps with the accurate model, every 20 fs, the first 0.5 ps left out."""
    if not path.exists():
        sim = fx.Simulation(HERE / "droplet.key", accurate="water-accurate", fast="water-accurate",
                            dt=1.0, substeps=1, ensemble="nvt", temperature=temperature, seed=seed,
                            threads=threads, keywords={"integrator": "baoabrespa"})
        frames = []
        with sim:
            sim.run(500)
            for _ in range(200):
                sim.run(20)
                frames.append(Frame(sim.numbers.astype(np.int64), sim.positions, None,
                                    sim.energy.potential / EV_IN_KCAL, sim.forces / EV_IN_KCAL,
                                    run=f"{temperature:g}K", kind="md"))
        write_store(path, frames)
    return read_store(path)


def plant(folder: Path, cold: Path, threads: int) -> str:
    """Train a fast model on the cold frames alone; its file."""
    settings = TrainSettings()
    settings.data.train, settings.optimizer.steps = [str(cold)], 4000
    settings.run.threads = threads
    if not (folder / "model.fnx").exists():
        fx.train(settings, folder)
    return str(folder / "model.fnx")


def mend(folder: Path, planted: str, cold: Path, holes: Path | None, threads: int) -> str:
    """Fine-tune the planted model on the cold frames and, if any, harvested ones; its file."""
    command = [str(PROGRAMS / "pyfennix"), "distill", str(HERE / "droplet"), "--accurate",
               "water-accurate", "--start", planted, "--trajectory", str(cold),
               "--temperatures", f"{HOT:g}", "--rounds", "1", "--steps", "6000", "--test", "0",
               "--threads", str(threads), "--out", str(folder)]
    subprocess.run(command + (["--repair", str(holes)] if holes else []), check=True)
    return str(folder / "fast.fnx")


def run(place: Path, fast: str, seed: int, threads: int) -> str:
    """Two-level dynamics at the high temperature; what it harvested, in words."""
    place.mkdir(exist_ok=True)
    shutil.copy(HERE / "droplet.xyz", place / "droplet.xyz")
    (place / "droplet.key").write_text(KEY.format(fast=Path(fast).absolute(), threads=threads,
                                                  threshold=THRESHOLD, seed=seed))
    with open(place / "droplet.log", "w") as log:
        # a hole may end a run: what was harvested until then counts
        ended = subprocess.run([str(PROGRAMS / "fennix-dynamic"), "droplet", str(STEPS),
                                "2.0", "1.0", "2", f"{HOT:g}"], cwd=place, stdout=log).returncode
    with h5py.File(place / "droplet.holes.h5", "r") as file:
        worst = file["observables/worst/value"][()]
    words = f"{len(worst)} of {STEPS} outer steps above {THRESHOLD:g} kcal/mol/Å"
    words += f", the worst {worst.max():.1f}" if len(worst) else ""
    return words + ("; the run failed" if ended else "")


def main() -> None:
    """Plant, run, repair, run again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    folder, threads = arguments.folder, arguments.threads
    folder.mkdir(parents=True, exist_ok=True)
    cold, hot = folder / "cold.h5", folder / "hot.h5"
    dynamics(cold, COLD, 1, threads)
    unseen = dynamics(hot, HOT, 2, threads)
    planted = plant(folder / "planted", cold, threads)
    found = run(folder / "before", planted, 5, threads)
    models = {"planted": (planted, found)}
    holes = folder / "before" / "droplet.holes.h5"
    for name, given in (("control", None), ("repaired", holes)):
        model = mend(folder / name, planted, cold, given, threads)
        models[name] = model, run(folder / f"after-{name}", model, 6, threads)
    for name, (model, words) in models.items():
        rmse = frame_errors(model, unseen)["rmse"]
        print(f"{name:9s} force RMSE {rmse:5.0f} meV/Å at {HOT:g} K; {words}")


if __name__ == "__main__":
    main()
