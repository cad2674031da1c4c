# SPDX-License-Identifier: MIT
"""FeNNix-Bio1 and ANI shapes on one and two levels through the executable, weights random."""

import lzma
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.fennix_shapes import checkpoint
from helpers.members import split_members
from helpers.runs import box_keywords, dynamic, write_xyz
from helpers.shared import shared
from helpers.waters import cubic, waters

import pyfennix as fx

KEY = """\
integrator {integrator}
ml-model {accurate}
{fast}
ml-precision {precision}
ml-threads 1
randomseed 3
printout 1
"""


def start(folder: Path, accurate, fast=None, cell=None, precision="float64", extra="") -> None:
    """Four waters, or eight in a cell, and a keyfile for these models."""
    numbers, positions = waters(cubic(8), (2, 2, 1) if cell is None else (2, 2, 2))
    write_xyz(folder / "case.xyz", numbers, positions)
    text = KEY.format(integrator="respa" if fast else "verlet", accurate=accurate,
                      fast=f"ml-model-fast {fast}\ndshort 0.0001" if fast else "",
                      precision=precision)
    (folder / "case.key").write_text(text + ("" if cell is None else box_keywords(cell)) + extra)


def table(done) -> np.ndarray:
    """Rows of the log: step, time, total, potential, kinetic energy."""
    assert done.returncode == 0, done.stderr
    rows = [line.split()[:5] for line in done.stdout.splitlines()
            if re.match(r" +\d+ +\d+\.\d{4} +-?\d", line)]
    return np.array(rows, float)


@pytest.mark.parametrize("cell", [None, cubic(8)], ids=["isolated", "periodic"])
@pytest.mark.parametrize("names", [("M",), ("S",), ("distilled",), ("M", "distilled"),
                                   ("S", "distilled"), ("ANI",), ("ANI", "distilled")],
                         ids="+".join)
def test_random_weights_run_and_conserve_energy(names, cell, tmp_path):
    for seed, name in enumerate(names):
        checkpoint(tmp_path / f"{name}.fnx", name, seed=seed)
    start(tmp_path, *(f"{name}.fnx" for name in names), cell=cell)
    done = dynamic(tmp_path, "case", 20, 0.2, 0.001, 1, 50.0)
    rows = table(done)
    assert len(rows) == 21
    assert ("Level 2" in done.stdout) == (len(names) == 2)
    assert np.isfinite(rows).all()
    moved = np.abs(np.diff(rows[:, 3])).sum()
    assert moved > 0.05  # something happens
    assert np.ptp(rows[:, 2]) < 0.02 * moved


def test_the_charge_of_the_keyfile_reaches_the_hypotheses(tmp_path):
    """FeNNix models share a total charge out; ANI ignores it and the log says so."""
    for name in ("S", "ANI"):
        checkpoint(tmp_path / f"{name}.fnx", name)
    energies = {}
    for name, charge in (("S", 0), ("S", 1), ("ANI", 0), ("ANI", 1)):
        start(tmp_path, f"{name}.fnx", extra=f"ml-qtot {charge}\n")
        done = dynamic(tmp_path, "case", 0)
        energies[name, charge] = re.search(r"potential energy +(\S+)", done.stdout).group(1)
        assert ("ml-qtot is ignored" in done.stdout) == (name == "ANI" and charge == 1)
    assert energies["S", 0] != energies["S", 1]
    assert energies["ANI", 0] == energies["ANI", 1]


def test_float32_with_the_usual_settings(tmp_path):
    """The defaults: float32, BAOAB-RESPA."""
    for name in ("M", "distilled"):
        checkpoint(tmp_path / f"{name}.fnx", name)
    start(tmp_path, "M.fnx", "distilled.fnx", cell=cubic(8), precision="float32")
    key = tmp_path / "case.key"
    key.write_text(key.read_text().replace("respa", "baoabrespa"))
    rows = table(dynamic(tmp_path, "case", 10, 0.2, 0.001, 2, 50.0))
    assert np.isfinite(rows).all()


@pytest.mark.slow
@pytest.mark.parametrize("accurate", ["bio1M_seed1", "bio1S_seed2"])
def test_the_real_sizes(accurate, tmp_path):
    """The published architectures with random weights: two levels on eight waters."""
    for name in (accurate, "distilled_seed3"):
        packed = shared("reference", "models", f"{name}.fnx.xz")
        (tmp_path / f"{name}.fnx").write_bytes(lzma.decompress(packed.read_bytes()))
    start(tmp_path, f"{accurate}.fnx", "distilled_seed3.fnx", cell=cubic(8))
    rows = table(dynamic(tmp_path, "case", 5, 0.2, 0.001, 1, 50.0, timeout=300))
    assert len(rows) == 6
    moved = np.abs(np.diff(rows[:, 3])).sum()
    assert np.ptp(rows[:, 2]) < 0.02 * moved


def test_members_of_an_ensemble(tmp_path):
    """Split files hold the members: their mean is the ensemble's energy."""
    whole = checkpoint(tmp_path / "ani.fnx", "ANI")
    files = split_members(whole, tmp_path)
    assert [file.name for file in files] == ["ani_energy0.fnx", "ani_energy1.fnx"]
    numbers, positions = waters(cubic(8), (2, 1, 1))
    energies = [fx.evaluate(fx.load_model(file, dtype="float64"), numbers, positions).energy
                for file in (whole, *files)]
    assert abs(energies[1] - energies[2]) > 1e-3
    assert energies[0] == pytest.approx(np.mean(energies[1:]), rel=1e-12)
