# SPDX-License-Identifier: MIT
"""The error figures on the cards of the shipped water models.

    python -m pyfennix.weights.measure_water --data DIR [--accurate FILE] [--fast FILE]

Held-out runs (the split of train_water.py), the fast model against the accurate one on them, and
the PBE0-TS frames of liquid water that no model was trained on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from pyfennix.models.registry import load_model
from pyfennix.weights.train_water import errors, relabel
from pyfennix.weights.water_data import Frame, load_frames, split_by_run


def independent_frames(folder: Path) -> list[Frame]:
    """Liquid water, 64 molecules, from deepmd-kit's example data; energies are relative."""
    data = np.load(folder / "deepmd_water_pbe0ts_192.npz")
    return [
        Frame(
            numbers=data["Z"].astype(np.int64),
            positions=torch.tensor(data["R"][i], dtype=torch.float64),
            cell=torch.tensor(data["cell"][i], dtype=torch.float64),
            energy=float(data["E"][i] - data["E"].mean()),
            forces=torch.tensor(data["F"][i]),
            virial=None,
            run="deepmd",
        )
        for i in range(len(data["E"]))
    ]


def show(what: str, model, frames: list[Frame], relative: bool = False) -> None:
    """Print one line of errors; ``relative`` leaves out the mean energy difference."""
    found = errors(model, frames, relative)
    print(f"{what}: {len(frames)} frames, force MAE {found['mae']:.1f} RMSE {found['rmse']:.1f} "
          f"meV/Å, energy RMSE {found['energy']:.2f} meV/atom", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--accurate", default="water-accurate")
    parser.add_argument("--fast", default="water-fast")
    args = parser.parse_args()
    torch.set_num_threads(1)
    held = split_by_run(load_frames(args.data), 0.1, seed=0)[1]
    boxes = [f for f in held if f.cell is not None]
    clusters = [f for f in held if f.cell is None]
    others = independent_frames(args.data)
    accurate, fast = load_model(args.accurate), load_model(args.fast)
    for name, model in (("accurate", accurate), ("fast", fast)):
        show(f"{name}, held-out boxes", model, boxes)
        show(f"{name}, held-out clusters", model, clusters)
        show(f"{name}, PBE0-TS liquid", model, others, relative=True)
    relabel(accurate, boxes + clusters)
    show("fast against accurate, held-out boxes", fast, boxes)
    show("fast against accurate, held-out clusters", fast, clusters)


if __name__ == "__main__":
    main()
