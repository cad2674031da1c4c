# SPDX-License-Identifier: MIT
"""A hole planted in a fast model, found by harvesting, mended by a repair.

    python benchmarks/planted_hole.py FOLDER [--threads 1]

A fast model of a droplet of water is trained without any force of hydrogens whose O-H bond is
longer than 0.99 Å, nor of their oxygens, and without energies. Two-level dynamics with it harvests
what it gets wrong; `pyfennix distill --repair` mends it; the same dynamics is run again. Printed is
the error for bonds inside and outside the region, and the harvest of both runs.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np

import pyfennix as fx
from pyfennix.distillation.augment import moved_copies
from pyfennix.models.registry import load_model
from pyfennix.training.batch import collate, predict
from pyfennix.training.frames import Frame
from pyfennix.training.settings import TrainSettings
from pyfennix.training.store import read_store, write_store
from pyfennix.training.teacher import label

HERE = Path(__file__).resolve().parents[1] / "examples" / "05_distill"
LONGEST, THRESHOLD = 0.99, 15.0  # Å, kcal/mol/Å
KEY = """integrator baoabrespa
ml-model water-accurate
ml-model-fast {fast}
dshort 0.001
friction 5.0
ml-threads {threads}
randomseed 5
harvest-force {threshold}
harvest-max 400
"""


def in_region(frame: Frame) -> np.ndarray:
    """(n,) atoms of bonds longer than LONGEST; atoms come as O H H."""
    x = frame.positions.reshape(-1, 3, 3)
    vectors = x[:, 1:] - x[:, :1]
    if frame.cell is not None:
        vectors -= np.round(vectors @ np.linalg.inv(frame.cell)) @ frame.cell
    far = np.linalg.norm(vectors, axis=2) > LONGEST
    return np.column_stack([far.any(axis=1), far]).ravel()


def errors(model: str, frames: list[Frame]) -> dict[str, float]:
    """RMSE in meV/Å of atoms inside and outside the region."""
    loaded, square = load_model(model), {"inside": [], "outside": []}
    for frame in frames:
        found = predict(loaded, collate([frame], loaded.cutoff), create_graph=False).forces
        error = ((found.detach().numpy() - frame.forces) ** 2).mean(axis=1)
        region = in_region(frame)
        square["inside"] += error[region].tolist()
        square["outside"] += error[~region].tolist()
    return {name: 1e3 * float(np.sqrt(np.mean(values))) for name, values in square.items()}


def plant(folder: Path, frames: list[Frame], threads: int) -> str:
    """Train a fast model without the region; its file."""
    blind = []
    for frame in frames:
        region = in_region(frame)
        blind.append(Frame(frame.numbers, frame.positions, frame.cell, None, frame.forces, None,
                           0.0, frame.run, np.where(region, 0.0, 1.0)))
    write_store(folder / "blind.h5", blind)
    settings = TrainSettings()
    settings.data.train, settings.optimizer.steps = [str(folder / "blind.h5")], 4000
    settings.run.threads = threads
    fx.train(settings, folder / "planted")
    return str(folder / "planted" / "model.fnx")


def run(folder: Path, name: str, fast: str, threads: int) -> tuple[int, float]:
    """Two-level dynamics of 6 ps at 350 K; outer steps harvested, and the largest difference."""
    place = folder / name
    place.mkdir(exist_ok=True)
    shutil.copy(HERE / "droplet.xyz", place / "droplet.xyz")
    (place / "droplet.key").write_text(KEY.format(fast=Path(fast).absolute(), threads=threads,
                                                  threshold=THRESHOLD))
    with open(place / "droplet.log", "w") as log:
        subprocess.run(["fennix-dynamic", "droplet", "3000", "2.0", "1.0", "2", "350"], cwd=place,
                       stdout=log, check=True)
    with h5py.File(place / "droplet.holes.h5", "r") as file:
        worst = file["observables/worst/value"][()]
        return len(worst), float(worst.max(initial=0.0))


def main() -> None:
    """Plant, run, repair, run again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "frames.h5"
    if not data.exists():
        sampled = fx.Simulation(HERE / "droplet.key", accurate="water-accurate",
                                fast="water-accurate", dt=1.0, substeps=1, ensemble="nvt",
                                temperature=350.0, threads=arguments.threads,
                                keywords={"integrator": "baoabrespa"})
        with sampled as sim:
            frames = [Frame(sim.numbers.astype(np.int64), f.positions, None, run=f"{k // 20}")
                      for k, f in enumerate(sim.trajectory(4000, every=20))]
        frames += moved_copies(frames, 1)
        label(load_model("water-accurate"), frames)
        write_store(data, frames)
    frames = read_store(data)
    planted = plant(folder, frames, arguments.threads)
    before = run(folder, "before", planted, arguments.threads)
    command = ["pyfennix", "distill", str(HERE / "droplet"), "--accurate",
               "water-accurate", "--start", planted, "--repair",
               str(folder / "before" / "droplet.holes.h5"), "--trajectory",
               str(folder / "blind.h5"), "--rounds", "1", "--steps", "6000", "--test", "0",
               "--threads", str(arguments.threads), "--out", str(folder / "mended")]
    subprocess.run(command, check=True)
    mended = str(folder / "mended" / "fast.fnx")
    after = run(folder, "after", mended, arguments.threads)
    test = [f for f in frames if f.kind != "contact"]
    for name, model, (count, worst) in (("planted", planted, before), ("mended", mended, after)):
        rmse = errors(model, test)
        print(f"{name}: force RMSE {rmse['inside']:.0f} meV/Å where no force was learned, "
              f"{rmse['outside']:.0f} elsewhere; {count} of 3000 outer steps above {THRESHOLD:g} "
              f"kcal/mol/Å, the worst {worst:.1f}")


if __name__ == "__main__":
    main()
