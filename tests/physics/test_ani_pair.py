# SPDX-License-Identifier: MIT
"""Ethanol and aspirin with one ANI-1x network as the accurate level and another as the fast one."""

from __future__ import annotations

import json
import re

import ase.io
import numpy as np
import pytest
from helpers.members import split_members
from helpers.runs import dynamic, write_xyz
from helpers.shared import shared

import pyfennix as fx

pytestmark = [pytest.mark.physics, pytest.mark.slow]

KEY = """\
integrator {integrator}
ml-model {accurate}
ml-model-fast {fast}
dshort 0.0005
minimize on
ml-threads 1
randomseed 11
printout 10
"""


def structure(name):
    """ASE Atoms of the molecule."""
    if name == "aspirin":
        return ase.io.read(shared("systems", "aspirin.xyz"), format="xyz")
    found = json.loads(shared("reference", "inputs.json").read_text())[name]
    return ase.Atoms(numbers=found["species"], positions=found["coordinates"])


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """Files of the two networks of the ensemble."""
    whole = shared("reference", "models", "ani1x_ens2.fnx")
    return split_members(whole, tmp_path_factory.mktemp("ani"))


def run(folder, name, members, integrator, *words):
    """Start the executable; the table of its log, columns as in its head, and the last frame."""
    atoms = structure(name)
    write_xyz(folder / "mol.xyz", atoms.numbers, atoms.positions, atoms.get_chemical_symbols())
    (folder / "mol.key").write_text(KEY.format(integrator=integrator, accurate=members[0],
                                               fast=members[1]))
    done = dynamic(folder, "mol", *words, timeout=900)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()
            if re.match(r" +\d+ +\d+\.\d{4} +-?\d", line)]
    return np.array([[float(word) for word in row[:7]] for row in rows])


@pytest.mark.parametrize("name", ["ethanol", "aspirin"])
def test_five_picoseconds_at_300_kelvin(name, members, tmp_path):
    """BAOAB-RESPA of 1 fs and 0.5 fs: it warms up from the minimum and stays whole."""
    rows = run(tmp_path, name, members, "baoabrespa", 5000, 1.0, 0.1, 2, 300.0)
    assert rows[-1, 0] == 5000
    half = rows[len(rows) // 2:, 6]  # mid-step temperature; 27 and 63 degrees of freedom
    assert 200.0 < half.mean() < 400.0
    atoms = structure(name)
    bonded = atoms.get_all_distances()
    bonded = (bonded > 0.1) & (bonded < np.where((atoms.numbers[:, None] > 1)
                                                 & (atoms.numbers > 1), 1.7, 1.25))
    archive = (tmp_path / "mol.arc").read_text().split("\n")
    last = archive[-len(atoms) - 1:-1]
    x = np.array([[float(word) for word in line.split()[2:5]] for line in last])
    lengths = np.linalg.norm(x[:, None] - x, axis=2)
    assert lengths[bonded].max() < 2.0


@pytest.mark.parametrize("name", ["ethanol", "aspirin"])
def test_constant_energy(name, members, tmp_path):
    """The total energy of the accurate network stays, as that of one level does.

    ANI's activation has kinks in its second derivative, so that the energy wanders instead of
    oscillating: 0.01 to 0.1 kcal/mol in half a picosecond with Verlet steps of 0.5 to 1 fs.
    """
    rows = run(tmp_path, name, members, "respa", 500, 1.0, 0.1, 1, 300.0)
    assert np.abs(rows[:, 2] - rows[0, 2]).max() < 0.3
    assert np.ptp(rows[:, 3]) > 1.0  # while energy flows back and forth


def test_the_same_network_twice_is_one_level(members):
    """With no difference force two levels are Verlet at the inner step, bit by bit."""
    options = {"ensemble": "nve", "temperature": 300, "seed": 5, "threads": 1}
    atoms = structure("ethanol")
    one = fx.Simulation(atoms, members[0], dt=0.5, **options)
    two = fx.Simulation(atoms, members[0], fast=members[0], dt=1.0, substeps=2, **options)
    with one, two:
        one.run(40)
        two.run(20)
        np.testing.assert_array_equal(one.positions, two.positions)
