# SPDX-License-Identifier: MIT
"""Heating by outer steps: what the report of `pyfennix distill` foretells, beside what runs did.

    python benchmarks/heating.py FOLDER [--fast water-fast] [--friction 5]

FOLDER is one of `water_pair.py run`: each of its runs gives the slope of the conserved energy per
atom, with the standard error of the slopes of eight parts. The estimate is made anew, from 0.6 ps
with steps of 1 fs, with normal and with heavy hydrogens.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py
import numpy as np
from water_pair import CASES, REPOSITORY

from pyfennix.distillation.heating import Heating
from pyfennix.distillation.sampling import Sampler
from pyfennix.distillation.settings import DistillSettings
from pyfennix.distillation.systems import read_systems
from pyfennix.distillation.testing import difference_spectrum
from pyfennix.models.registry import load_model

PARTS = 8


def measured(path: Path, discard: float) -> tuple[float, float, float]:
    """Slope in kcal/mol/ps per atom, its error, and ps of the run after ``discard``."""
    with h5py.File(path, "r") as file:
        group = file["observables/conserved_energy"]
        time, energy = group["time"][()], group["value"][()]
        atoms = file["particles/trajectory/position/value"].shape[1]
    kept = time - time[0] >= discard
    time, energy = time[kept], energy[kept] / atoms
    slopes = [np.polyfit(t - t[0], e, 1)[0] for t, e in zip(
        np.array_split(time, PARTS), np.array_split(energy, PARTS), strict=True)]
    error = float(np.std(slopes, ddof=1) / np.sqrt(PARTS))
    return float(np.polyfit(time, energy, 1)[0]), error, float(time[-1] - time[0])


def estimate(arguments: argparse.Namespace, heavy: bool, scratch: Path) -> Heating:
    """What the report says."""
    accurate = load_model("water-accurate")
    settings = DistillSettings([str(REPOSITORY / "examples" / "01_water" / "water")], accurate,
                               scratch, heavy_hydrogen=heavy, threads=1)
    name, atoms = read_systems(settings.systems)[0]
    return difference_spectrum(Sampler(settings, atoms, accurate, name), arguments.fast)[1]


def main() -> None:
    """A line for each run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fast", default="water-fast")
    parser.add_argument("--friction", type=float, default=5.0, help="for the rise, 1/ps")
    parser.add_argument("--discard", type=float, default=2.0, help="ps")
    arguments = parser.parse_args()
    runs = {name: arguments.folder / name / "water.h5" for name in CASES}
    runs = {name: path for name, path in runs.items() if path.exists()}
    found = {heavy: estimate(arguments, heavy, arguments.folder)
             for heavy in {CASES[name].heavy for name in runs}}
    print(f"{'case':14s} {'ps':>5s} {'foretold':>9s} {'measured':>17s}  kcal/mol/ps per atom; "
          f"K too warm at {arguments.friction:g}/ps")
    for name, path in runs.items():
        case = CASES[name]
        slope, error, ps = measured(path, arguments.discard)
        rate = found[case.heavy].rate(case.outer) if case.substeps else 0.0
        rise = found[case.heavy].rise(case.outer, arguments.friction) if case.substeps else 0.0
        print(f"{name:14s} {ps:5.1f} {rate:9.4f} {slope:8.4f} ± {error:.4f}  {rise:20.2f}")


if __name__ == "__main__":
    main()
