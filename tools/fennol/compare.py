# SPDX-License-Identifier: MIT
"""Live comparison with FeNNol: its checkpoints evaluated here, ours read there.

FeNNol runs in its own interpreter (`make compare-fennol` installs one) and meets pyfennix only
through files. For each architecture FeNNol makes a checkpoint with new random weights; both
evaluate the same random systems; pyfennix writes the model again and FeNNol evaluates that file.
A last model is made by pyfennix and read by FeNNol. Exits with 1 when a deviation is too large.

    python tools/fennol/compare.py --fennol /path/to/python [--models bio1M ani1x] [--seed 7]
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from architectures import NAMES, numbers, resized
from exchange import Answer, System, read, write
from systems import random_systems

import pyfennix as fx
from pyfennix import units
from pyfennix.exceptions import FennixError
from pyfennix.models.fnx.checkpoint import save_fnx
from pyfennix.models.fnx.model import FennixModel

HERE = Path(__file__).resolve().parent
# in float64: energy in eV per atom, forces in eV/Å, virial and spread of an ensemble in eV
LIMITS = np.array([1e-10, 1e-9, 1e-8, 1e-8])
FLOAT32_FACTOR = 3.0  # of FeNNol's own deviation in float32
OWN = "ours"  # name of the model that pyfennix makes


@dataclass
class FeNNol:
    """FeNNol's interpreter, and the folder of this comparison."""

    python: Path
    folder: Path

    def create(self, name: str, seed: int) -> Path:
        """A checkpoint with random weights."""
        path = self.folder / f"{name}.fnx"
        self._run("create", name, str(seed), str(path))
        return path

    def evaluate(self, path: Path, dtype: str, systems: Path) -> list[Answer]:
        """Its answers, in the model's unit."""
        answers = self.folder / f"{path.stem}-{dtype}-fennol.npz"
        self._run("evaluate", str(path), dtype, str(systems), str(answers))
        return read(answers, Answer)

    def _run(self, *words: str) -> None:
        command = [str(self.python), str(HERE / "fennol_side.py"), *words]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise FennixError(f"FeNNol failed at {' '.join(words)}:\n{done.stderr}")


def evaluate(path: Path, dtype: str, systems: list[System]) -> Iterator[Answer]:
    """The same with pyfennix, in the model's unit: a call for each request."""
    model = fx.load_model(path, dtype=dtype)
    for system in systems:
        members = _members(system)
        if len(members) == 1:
            results = [fx.evaluate(model, *members[0], spread=bool(model.ensembles))]
        else:
            results = fx.evaluate_batch(model, members, spread=bool(model.ensembles))
        yield _answer(results, model)


def evaluate_at_once(path: Path, dtype: str, systems: list[System]) -> Iterator[Answer]:
    """The same from one call for all requests together."""
    model = fx.load_model(path, dtype=dtype)
    members = [member for system in systems for member in _members(system)]
    results = iter(fx.evaluate_batch(model, members, spread=bool(model.ensembles)))
    for system in systems:
        yield _answer(list(itertools.islice(results, len(system.counts))), model)


def _members(system: System) -> list[tuple]:
    """Numbers, positions, cell and charge of each system of a request."""
    bounds = itertools.pairwise(np.cumsum([0, *system.counts]))
    cells = system.cells if len(system.cells) else [None] * len(system.counts)
    return [(system.numbers[begin:end], system.positions[begin:end], cell, float(charge))
            for (begin, end), cell, charge in zip(bounds, cells, system.charges, strict=True)]


def _answer(results: list[fx.Evaluation], model: fx.Model) -> Answer:
    unit = units.energy_in_kcal(model.energy_unit)
    return Answer(
        np.array([result.energy for result in results]) / unit,
        np.concatenate([result.forces for result in results]) / unit,
        np.array([result.virial for result in results]) / unit,
        np.array([result.spread or 0.0 for result in results]) / unit,
    )


def deviations(found: list[Answer], exact: list[Answer], systems: list[System], unit: float):
    """(systems, 4) largest deviations: eV per atom, eV/Å, eV, and eV of spread; NaN stays NaN."""
    rows = [
        [
            np.max(np.abs(a.energies - b.energies) / system.counts),
            np.max(np.abs(a.forces - b.forces)),
            np.max(np.abs(a.virials - b.virials)),
            np.max(np.abs(a.spreads - b.spreads)),
        ]
        for a, b, system in zip(found, exact, systems, strict=True)
    ]
    return np.array(rows) * unit


def own_model(seed: int) -> FennixModel:
    """A model of a shape that no published one has, with random weights."""
    torch.manual_seed(seed)
    embedding = {"dim": 48, "scal_heads": 6, "tens_heads": 3, "att_dim": 8, "lmax": 2,
                 "update_hidden": [64], "lode_channels": 2}
    description = resized("bio1S", embedding, species=[64], head=[40], members=5)
    model = FennixModel(description, name=OWN)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


class Report:
    """The table, and whether all of it was within bounds."""

    def __init__(self) -> None:
        self.passed = True
        print(f"{'model':16s}{'what':36s}{'eV/atom':>10s}{'eV/Å':>10s}{'virial':>10s}"
              f"{'spread':>10s}")

    def row(self, name: str, what: str, found: np.ndarray, limits: np.ndarray,
            systems: list[System]) -> None:
        """One line; the worst system where a limit is exceeded."""
        worst = found.max(axis=0)  # NaN if any is NaN
        # written so that NaN fails
        good = bool((worst <= limits).all())
        self.passed &= good
        verdict = "ok" if good else "TOO LARGE, allowed " + _columns(limits)
        print(f"{name:16s}{what:36s}{_columns(worst)}  {verdict}", flush=True)
        for index in np.flatnonzero(~(found <= limits).all(axis=1))[:5]:
            system = systems[index]
            print(f"{'':12s}system {index}: {system.label}, {len(system.numbers)} atoms"
                  f"{_columns(found[index])}")

    def failure(self, name: str, error: Exception) -> None:
        """A model that could not be compared at all."""
        self.passed = False
        print(f"{name:16s}FAILED: {error}", flush=True)


def _columns(values: np.ndarray) -> str:
    return "".join(f"{value:10.1e}" for value in values)


def compare(name: str, fennol: FeNNol, seed: int, count: int, report: Report) -> None:
    """All rows of one model."""
    systems = random_systems(count, seed, numbers(name))
    file = fennol.folder / f"{name}-systems.npz"
    write(file, systems)
    path = fennol.folder / f"{name}.fnx"
    if name == OWN:
        save_fnx(path, own_model(seed))
    else:
        fennol.create(name, seed)
    exact = fennol.evaluate(path, "float64", file)
    single = fennol.evaluate(path, "float32", file)
    unit = units.energy_in_kcal(fx.load_model(path).energy_unit) / units.EV_IN_KCAL

    def against(found) -> np.ndarray:
        return deviations(list(found), exact, systems, unit)

    report.row(name, "float64", against(evaluate(path, "float64", systems)), LIMITS, systems)
    report.row(name, "float64, all in one batch",
               against(evaluate_at_once(path, "float64", systems)), LIMITS, systems)
    their_error = against(single).max(axis=0)
    print(f"{name:16s}{'FeNNol in float32':36s}{_columns(their_error)}")
    report.row(name, "float32", against(evaluate(path, "float32", systems)),
               FLOAT32_FACTOR * their_error, systems)
    again = fennol.folder / f"{name}-again.fnx"
    save_fnx(again, fx.load_model(path))
    report.row(name, "written by pyfennix, read by FeNNol",
               against(fennol.evaluate(again, "float64", file)), LIMITS, systems)


def main() -> None:
    """Compare the models asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fennol", type=Path, required=True, help="FeNNol's Python interpreter")
    parser.add_argument("--models", nargs="+", choices=(*NAMES, OWN), default=(*NAMES, OWN))
    parser.add_argument("--systems", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for all files (default: temporary)")
    arguments = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        fennol = FeNNol(arguments.fennol, folder)
        for index, name in enumerate(arguments.models):
            try:
                compare(name, fennol, arguments.seed + index, arguments.systems, report)
            except FennixError as error:
                report.failure(name, error)
    sys.exit(0 if report.passed else 1)


if __name__ == "__main__":
    main()
