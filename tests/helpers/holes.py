"""Runs with the models of models/holes.py, whose difference force is known without them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from helpers.runs import MODELS, dynamic, reference, small_case

KEYWORDS = """\
integrator baoabrespa
ml-model holes.py:Accurate
ml-model-fast holes.py:Fast
dshort 0.0005
ml-precision float64
ml-threads 1
randomseed 7
ml-force-cap 2
checkpoint-every 20
"""
DT, DUMP = 1.0, 0.001  # fs; ps, a frame each step
STEPS = 60
THRESHOLD = 24.0  # kcal/mol/Å; passed by some of the steps
BINS = 0.5 * np.arange(402)  # kcal/mol/Å; the last one ends nowhere
BINS[-1] = np.inf


@dataclass
class Holes:
    """What lies in NAME.holes.h5."""

    steps: np.ndarray
    times: np.ndarray
    positions: np.ndarray
    images: np.ndarray
    differences: np.ndarray
    worst: np.ndarray
    worst_atoms: np.ndarray
    statistics: dict[str, np.ndarray]


def holes_case(folder: Path, extra: str = "") -> Path:
    """The periodic atoms of the references with these models."""
    return small_case(folder, KEYWORDS + extra, "periodic")


def harvest(threshold: float) -> str:
    """The keyword."""
    return f"harvest-force {threshold:.17g}\n"


def read_holes(path: Path) -> Holes:
    """Everything that docs/output.md promises."""
    with h5py.File(path, "r", swmr=True) as file:
        group, seen = file["particles/trajectory"], file["observables"]
        return Holes(
            group["position/step"][()], group["position/time"][()], group["position/value"][()],
            group["image/value"][()], group["force_difference/value"][()],
            seen["worst/value"][()], seen["worst_atom/value"][()],
            {name: data[()] for name, data in file["harvest"].items()},
        )


def steps_and_positions(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Steps (k,) and wrapped positions (k, n, 3), Å, of NAME.h5."""
    with h5py.File(path) as file:
        group = file["particles/trajectory/position"]
        return group["step"][()], group["value"][()]


def predicted(positions: np.ndarray) -> np.ndarray:
    """Accurate minus fast force (k, n, 3), kcal/mol/Å: minus the force of the bumps alone."""
    import sys

    sys.path[:0] = [str(MODELS)]
    from holes import HEIGHT, PLACE, SPREAD

    numbers, _, _, cell = reference("periodic")
    ones = np.flatnonzero(numbers == 1)
    x = positions[:, ones].astype(float)
    vectors = x[:, None, :, :] - x[:, :, None, :]  # from the second index to the third
    fractional = vectors @ np.linalg.inv(cell)
    vectors = (fractional - np.round(fractional)) @ cell
    d = np.linalg.norm(vectors, axis=-1)
    d[:, np.arange(len(ones)), np.arange(len(ones))] = np.inf
    u = (d - PLACE) / SPREAD
    slope = np.where(np.isfinite(d), -2.0 * u * HEIGHT / SPREAD * np.exp(-np.minimum(u**2, 700)), 0)
    slope[~np.isfinite(slope)] = 0.0
    force = np.einsum("kij,kijx->kix", slope / d, vectors)  # of the bumps, on the second index
    out = np.zeros(positions.shape)
    out[:, ones] = -force
    return out


def threshold_for(largest: np.ndarray, share: float = 0.3) -> float:
    """Between two of these, about `share` of them above, where the gap is widest around."""
    ordered = np.sort(largest)
    middle = int(len(ordered) * (1.0 - share))
    near = np.arange(middle - 4, middle + 4)
    gaps = ordered[near + 1] - ordered[near]
    at = near[gaps.argmax()]
    assert gaps.max() > 0.05, "no threshold tells these steps apart beyond doubt"
    return 0.5 * (ordered[at] + ordered[at + 1])


def go(folder: Path, steps: int, *words: str) -> str:
    """A run on one rank to a step, or over so many; its log."""
    done = dynamic(folder, "case", steps, DT, DUMP, 2, 300.0, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def harvested(folder: Path, threshold: float) -> tuple[Path, str]:
    """A harvested run on one rank; its folder and log."""
    holes_case(folder, harvest(threshold))
    return folder, go(folder, STEPS)


def content(path: Path) -> dict[str, np.ndarray]:
    """Every data set by name, as it is, but for the texts of the input."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]})
                        if isinstance(item, h5py.Dataset) else None)
    return {name: data for name, data in found.items() if not name.startswith("parameters/")}
