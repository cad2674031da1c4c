# SPDX-License-Identifier: MIT
"""The tool that compares with FeNNol: its systems are sane, its files whole, its verdict strict."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools" / "fennol"))
sys.path.insert(0, str(REPOSITORY / "benchmarks"))

import architectures  # noqa: E402
import boxes  # noqa: E402
import compare  # noqa: E402
from exchange import Answer, System, read, write  # noqa: E402
from systems import CLOSEST, KINDS, random_systems  # noqa: E402

from pyfennix.models.fnx.model import FennixModel  # noqa: E402
from pyfennix.models.pairs import build_pairs  # noqa: E402


def members(system):
    """Numbers, positions, cell of each system of a request."""
    bounds = np.cumsum([0, *system.counts])
    for k, (begin, end) in enumerate(itertools.pairwise(bounds)):
        cell = system.cells[k] if len(system.cells) else None
        yield system.numbers[begin:end], system.positions[begin:end], cell


def test_systems_are_of_all_kinds_and_leave_atoms_room():
    systems = random_systems(24, seed=5, numbers=None)
    assert {system.label for system in systems} == set(KINDS)
    assert {charge for system in systems for charge in system.charges} == {-2, -1, 0, 1, 2}
    for system in systems:
        for _, positions, cell in members(system):
            first, _, _ = build_pairs(positions, cell, CLOSEST)
            assert first[-1] == 0
            assert cell is None or np.linalg.det(cell) > 0


def test_systems_follow_their_seed_and_their_elements():
    one, same, other = (random_systems(6, seed, (1, 8)) for seed in (1, 1, 2))
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0].positions, other[0].positions)
    assert set(np.concatenate([system.numbers for system in one])) == {1, 8}


def test_files_keep_every_bit(tmp_path):
    systems = random_systems(6, seed=3, numbers=None)
    write(tmp_path / "systems.npz", systems)
    for found, exact in zip(read(tmp_path / "systems.npz", System), systems, strict=True):
        assert found.label == exact.label
        assert np.array_equal(found.positions, exact.positions)
        assert np.array_equal(found.cells, exact.cells)


@pytest.mark.parametrize("wrong", [1e-6, np.nan])
def test_a_deviation_in_any_part_fails(wrong, capsys):
    systems = random_systems(2, seed=3, numbers=None)
    shapes = [((1,), (len(system.numbers), 3), (1, 3, 3), (1,)) for system in systems]
    exact = [Answer(*map(np.zeros, shape)) for shape in shapes]
    for part in ("energies", "forces", "virials", "spreads"):
        found = [Answer(*map(np.zeros, shape)) for shape in shapes]
        getattr(found[1], part).flat[0] = wrong
        report = compare.Report()
        report.row("model", "what", compare.deviations(found, exact, systems, 1.0),
                   compare.LIMITS, systems)
        assert not report.passed
    report = compare.Report()
    report.row("model", "what", compare.deviations(exact, exact, systems, 1.0), compare.LIMITS,
               systems)
    assert report.passed
    capsys.readouterr()


@pytest.mark.parametrize("name", architectures.NAMES)
def test_architectures_are_models_here(name):
    model = FennixModel(architectures.architecture(name))
    assert sum(parameter.numel() for parameter in model.parameters()) > 300_000


@pytest.mark.parametrize("n_atoms", [198, 3000])
def test_boxes_of_water_have_the_density_and_no_contacts(n_atoms):
    numbers, positions, cell = boxes.water_box(n_atoms)
    assert len(numbers) == n_atoms
    assert n_atoms / 3 / np.linalg.det(cell) == pytest.approx(1 / 29.99)
    first, neighbor, _ = build_pairs(positions, cell, boxes.CLOSEST)
    receiver = np.repeat(np.arange(n_atoms), np.diff(first))
    assert (receiver // 3 == neighbor // 3).all()
