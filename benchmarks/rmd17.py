# SPDX-License-Identifier: MIT
"""Training on a public table: rMD17 aspirin, 1 000 structures, errors on others.

    python benchmarks/rmd17.py DATA.npz FOLDER [--shape fast|accurate] [--steps N] [--threads N]

DATA.npz holds `species` and, for `training` and `validation`, `_coordinates` (Å), `_energy` and
`_forces` (kcal/mol, kcal/mol/Å). Of the 1 000 training structures 950 are trained on and 50 choose
the best weights; the validation structures of the file are the test, seen once, at the end.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from pyfennix import units
from pyfennix.models.registry import load_model
from pyfennix.training.errors import measure
from pyfennix.training.frames import Frame
from pyfennix.training.readers import read_frames
from pyfennix.training.references import subtract
from pyfennix.training.settings import TrainSettings
from pyfennix.training.store import write_store
from pyfennix.training.trainer import train

# meV/Å, rMD17 aspirin, 1 000 training structures: the table of the MACE paper (arXiv:2206.07697)
LITERATURE = {"GAP": 44.9, "ANI": 40.6, "FCHL": 20.9, "ACE": 17.9, "PaiNN": 16.1, "GemNet": 9.5,
              "NequIP": 8.2, "Allegro": 7.3, "MACE": 6.6}
SIZES = {
    "fast": {"cutoff": 5.0, "radial": 12, "channels": [32, 24, 20, 14], "neurons": [128, 64]},
    "accurate": {"cutoff": 5.0, "short_cutoff": 5.0, "long_range": False},
}


def frames_of(data, part: str) -> list[Frame]:
    """Frames of the file in eV; one run each, so that single frames are divided."""
    numbers, per = data["species"].astype(np.int64), units.EV_IN_KCAL
    columns = (data[f"{part}_{name}"] for name in ("coordinates", "energy", "forces"))
    return [Frame(numbers, np.array(x, dtype=np.float64), None, float(e) / per, f / per, run=f"{k}")
            for k, (x, e, f) in enumerate(zip(*columns, strict=True))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", choices=tuple(SIZES), default="fast")
    parser.add_argument("--steps", type=int, default=60000)
    parser.add_argument("--batch-atoms", type=int, default=336)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with np.load(arguments.data, allow_pickle=False) as file:
        data = {key: file[key] for key in file.files}
    write_store(arguments.folder / "train.h5", frames_of(data, "training"))
    write_store(arguments.folder / "test.h5", frames_of(data, "validation"))
    settings = TrainSettings()
    settings.model.shape, settings.model.changes = arguments.shape, SIZES[arguments.shape]
    settings.data.train, settings.data.held_out = [str(arguments.folder / "train.h5")], 0.05
    settings.optimizer.steps = arguments.steps
    settings.optimizer.batch_atoms = arguments.batch_atoms
    settings.optimizer.learning_rate = arguments.rate
    settings.run.threads, settings.run.check_every = arguments.threads, arguments.steps // 20
    trainer = train(settings, arguments.folder, (arguments.folder / "checkpoint.pt").exists())
    test = read_frames(arguments.folder / "test.h5")
    subtract(test, trainer.data.references)
    errors = measure(load_model(arguments.folder / "model.fnx"), test)
    minutes = trainer.seconds / 60
    print(f"{arguments.shape}: {len(test)} test structures, {errors}; energy per molecule "
          f"{errors.energy_rmse * len(test[0]):.1f} meV; {minutes:.0f} min of training")
    rows = sorted({**LITERATURE, f"ours ({arguments.shape})": errors.force_mae}.items(),
                  key=lambda row: -row[1])
    for name, error in rows:
        print(f"  {name:18s} {error:6.1f} meV/Å")


if __name__ == "__main__":
    main()
