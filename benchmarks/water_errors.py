# SPDX-License-Identifier: MIT
"""Errors of a water pair: labelled frames held out, ab initio frames, fast against accurate.

    python benchmarks/water_errors.py DATA_FOLDER [--accurate MODEL] [--fast MODEL]

DATA_FOLDER holds so3lr_water.h5, so3lr_clusters.h5 and deepmd_water_pbe0ts_192.npz. Held out are
the runs that the training of water-accurate did not see.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py
import numpy as np
import torch

from pyfennix.models.registry import load_model
from pyfennix.training.errors import measure
from pyfennix.training.frames import Frame, split_by_run
from pyfennix.training.readers import read_frames
from pyfennix.training.references import subtract
from pyfennix.training.teacher import label

FILES = ("so3lr_water.h5", "so3lr_clusters.h5")


def references(folder: Path) -> dict[int, float]:
    """The zero of energy of water-accurate: that of the data."""
    with h5py.File(folder / FILES[0]) as file:
        return dict(zip(file["atomic_reference_numbers"][()].tolist(),
                        file["atomic_reference"][()].tolist(), strict=True))


def ab_initio(path: Path) -> list[Frame]:
    """64 waters, PBE0-TS, from deepmd-kit's example data."""
    with np.load(path, allow_pickle=False) as data:
        return [Frame(data["Z"].astype(np.int64), x.astype(float), cell.astype(float), float(e),
                      f.astype(float), run="ab initio")
                for x, cell, e, f in zip(data["R"], data["cell"], data["E"], data["F"],
                                         strict=True)]


def main() -> None:
    """One line for each model and set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accurate", default="water-accurate")
    parser.add_argument("--fast", default="water-fast")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    frames = [f for name in FILES for f in read_frames(arguments.folder / name)]
    subtract(frames, references(arguments.folder))
    held = split_by_run(frames, 0.1, seed=0)[1]
    sets = {"held-out boxes": [f for f in held if f.cell is not None],
            "held-out clusters": [f for f in held if f.cell is None],
            "PBE0-TS liquid": ab_initio(arguments.folder / "deepmd_water_pbe0ts_192.npz")}
    models = {"accurate": load_model(arguments.accurate), "fast": load_model(arguments.fast)}

    def show(who: str, what: str, relative: bool) -> None:
        errors = measure(models[who], sets[what], relative)
        print(f"{who}, {what}: {len(sets[what])} frames, {errors} "
              f"({3 * errors.energy_rmse:.2f} meV/molecule)", flush=True)

    for what in sets:
        show("accurate", what, relative=what.startswith("PBE0"))
    for what in sets:
        label(models["accurate"], sets[what])
        print("against the accurate model: ", end="")
        show("fast", what, relative=True)


if __name__ == "__main__":
    main()
