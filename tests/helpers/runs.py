"""Start the real executable on small systems, and read what it leaves behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

TESTS = Path(__file__).resolve().parents[1]
MODELS = TESTS / "models"
REFERENCES = TESTS / "regression" / "references.npz"
SYMBOLS = {1: "H", 8: "O"}
MASS = {1: 1.008, 8: 15.999}

TWO_LEVELS = """\
integrator baoabrespa
ml-model pairs.py:Accurate
ml-model-fast pairs.py:Fast
dshort 0.0005
ml-precision float64
ml-threads 1
randomseed 7
"""


def executable() -> Path:
    """The installed `fennix-dynamic`, beside this interpreter."""
    return Path(sys.executable).with_name("fennix-dynamic")


def environment() -> dict[str, str]:
    """One thread, and permission for Open MPI to run as root where tests do."""
    extra = {"OMP_NUM_THREADS": "1"}
    if os.geteuid() == 0:
        extra |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return os.environ | extra


def dynamic(folder: Path, *words, before=(), timeout=120) -> subprocess.CompletedProcess:
    """Run `fennix-dynamic words` in a folder; ``before`` may hold a launcher."""
    line = [*map(str, before), str(executable()), *map(str, words)]
    return subprocess.run(line, cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout)


def reference(name: str = "isolated") -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Numbers, positions (Å), velocities (Å/ps) and cell of a start in references.npz."""
    data = np.load(REFERENCES)
    cell = data["cell"] if name == "periodic" else None
    return data["numbers"], data[f"{name}_x"], data[f"{name}_v"], cell


def write_xyz(path: Path, numbers, positions, names=None) -> None:
    """A Tinker .xyz without bonds."""
    names = names or [SYMBOLS[int(z)] for z in numbers]
    lines = [f"{len(numbers):6d}  written by a test"]
    lines += [f"{k:6d}  {name:<3s}{x:12.6f}{y:12.6f}{z:12.6f}{1:6d}"
              for k, (name, (x, y, z)) in enumerate(zip(names, positions, strict=True), 1)]
    path.write_text("\n".join(lines) + "\n")


def small_case(folder: Path, keywords: str = TWO_LEVELS, start: str = "isolated") -> Path:
    """`case.xyz`, `case.key` and the models of tests/models in a folder; returns the folder."""
    numbers, positions, _, cell = reference(start)
    write_xyz(folder / "case.xyz", numbers, positions)
    if cell is not None:
        keywords += box_keywords(cell)
    (folder / "case.key").write_text(keywords)
    for model in MODELS.glob("*.py"):
        shutil.copy(model, folder)
    return folder


def box_keywords(cell) -> str:
    """Keyfile lines of a cell (rows, Å)."""
    lengths = np.linalg.norm(cell, axis=1)

    def angle(i, j):
        return np.degrees(np.arccos(cell[i] @ cell[j] / lengths[i] / lengths[j]))

    values = dict(zip(("a-axis", "b-axis", "c-axis"), lengths, strict=True))
    values |= {"alpha": angle(1, 2), "beta": angle(0, 2), "gamma": angle(0, 1)}
    return "".join(f"{name} {value:.12f}\n" for name, value in values.items())


def simulation(numbers, positions, cell=None, fast=None, accurate="pairs.py:Accurate", **options):
    """A pyfennix.Simulation in float64 on one thread, models from tests/models or shipped."""
    import ase

    import pyfennix

    atoms = ase.Atoms(numbers=numbers, positions=positions, cell=cell, pbc=cell is not None)
    models = {"accurate": model_path(accurate), "fast": fast and model_path(fast)}
    settings = {"dtype": "float64", "threads": 1, **models, **options}
    return pyfennix.Simulation(atoms, **settings)


def model_path(name: str) -> str:
    """A file of tests/models, or the name of a shipped model as it is."""
    return str(MODELS / name) if ".py" in name else name
