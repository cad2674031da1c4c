# SPDX-License-Identifier: MIT
"""The models of docs/models.md, taken from the page, do what the page says."""

import re
from pathlib import Path

import ase.build
import numpy as np
import pytest
from ase.calculators.lj import LennardJones
from helpers.hydrogens import hydrogens, make
from helpers.runs import box_keywords, dynamic, write_xyz

import pyfennix as fx
from pyfennix import units

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text()
EPSILON, EDGE = 2.1683, 5.4310  # eV, Å: Stillinger and Weber (1985), and their lattice


def block(first_line: str, kind: str = "python") -> str:
    """The code block of the page that begins so."""
    return re.search(rf"```{kind}\n({re.escape(first_line)}.*?)```", PAGE, re.DOTALL).group(1)


@pytest.fixture
def silicon(tmp_path):
    """The page's model in a file."""
    path = tmp_path / "silicon.py"
    path.write_text(block("# silicon.py"))
    return path


def crystal(displaced=0.0):
    atoms = ase.build.bulk("Si", "diamond", EDGE, cubic=True) * (2, 2, 2)
    atoms.positions += displaced * np.random.default_rng(1).normal(size=atoms.positions.shape)
    return atoms


def test_it_has_about_thirty_lines(silicon):
    lines = [line for line in silicon.read_text().splitlines()[1:] if line.strip()]
    assert len(lines) <= 32


def test_it_is_stillinger_and_webers_silicon(silicon):
    """The diamond lattice is the minimum and has an energy of -2 epsilon per atom."""
    model = fx.load_model(f"{silicon}:Silicon", dtype="float64")
    atoms = crystal()
    found = fx.evaluate(model, atoms.numbers, atoms.positions, np.array(atoms.cell))
    assert found.energy / units.EV_IN_KCAL / len(atoms) == pytest.approx(-2 * EPSILON, abs=1e-4)
    assert np.abs(found.forces).max() < 1e-9
    assert np.abs(found.virial).max() < 1e-2 * abs(found.energy)


def test_the_moments_are_the_sum_over_angles(silicon):
    """Against the three-body sum as Stillinger and Weber wrote it, by a triple loop."""
    model = fx.load_model(f"{silicon}:Silicon", dtype="float64")
    pairs = fx.load_model(f"{silicon}:Bonds", dtype="float64")
    x = np.random.default_rng(2).uniform(0.0, 4.5, (9, 3))
    numbers = [14] * len(x)
    angles = fx.evaluate(model, numbers, x).energy - fx.evaluate(pairs, numbers, x).energy
    expected, sigma, reach = 0.0, 2.0951, 1.80
    for i in range(len(x)):
        near = [j for j in range(len(x)) if j != i and np.linalg.norm(x[j] - x[i]) < reach * sigma]
        for j, k in ((j, k) for j in near for k in near if j < k):
            a, b = x[j] - x[i], x[k] - x[i]
            r, s = np.linalg.norm(a), np.linalg.norm(b)
            weight = np.exp(1.2 / (r / sigma - reach) + 1.2 / (s / sigma - reach))
            expected += EPSILON * 21.0 * weight * (a @ b / r / s + 1.0 / 3.0) ** 2
    assert angles / units.EV_IN_KCAL == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", ["Silicon", "Bonds"])
def test_it_passes_the_validator(silicon, name):
    report = fx.validate_model(fx.load_model(f"{silicon}:{name}"))
    assert report.passed, str(report)


def test_it_runs_on_two_levels(silicon, tmp_path):
    """With the page's keyfile, through the executable, and the energy is conserved."""
    atoms = crystal(displaced=0.05)
    write_xyz(tmp_path / "si.xyz", atoms.numbers, atoms.positions, ["Si"] * len(atoms))
    key = block("integrator      respa", kind="")
    (tmp_path / "si.key").write_text(key + box_keywords(np.array(atoms.cell))
                                     + "ml-precision float64\nml-threads 1\nprintout 1\n")
    done = dynamic(tmp_path, "si", 50, 4.0, 0.1, 1, 300.0)
    assert done.returncode == 0, done.stderr
    assert "silicon.py:Silicon" in done.stdout
    assert "silicon.py:Bonds" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()
            if re.match(r" +\d+ +\d+\.\d+ ", line)]
    total = np.array([float(row[2]) for row in rows])
    kinetic = np.array([float(row[4]) for row in rows])
    assert len(total) == 51
    assert kinetic.min() > 1.0
    assert np.ptp(total) < 0.02 * kinetic.mean()


def test_the_page_on_total_energies():
    """The well of the page runs, and the calculator of the page mixes with a model of ours."""
    space = {}
    exec(block("import pyfennix as fx\n\nclass Well"), space)
    atoms = hydrogens()
    atoms.pbc = False
    with make(atoms, space["Well"](), dt=0.2) as sim:
        sim.run(2)
        assert np.isfinite(sim.energy.total)
    line = block("from ase.calculators.lj").splitlines()[1]
    exec(line, {"LennardJones": LennardJones}, space)
    assert fx.load_model(space["calculator"]).gives_virial
