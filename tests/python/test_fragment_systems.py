# SPDX-License-Identifier: MIT
"""Fragments of real systems: labels of boxes of water, memory, and DHFR in water."""

import lzma
import os
import subprocess
import sys
from collections import deque
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.shared import shared

import pyfennix as fx
from pyfennix import units
from pyfennix.fragments.choose import choose_centers
from pyfennix.fragments.cut import cut_fragment
from pyfennix.fragments.draw import draw_fragments
from pyfennix.fragments.fragment import complaints
from pyfennix.fragments.label import exact_margin, label_fragment
from pyfennix.fragments.molecules import find_molecules

TESTS = Path(__file__).resolve().parents[1]
EDGES = {"waterbox": 24.662, "waterbig": 36.342, "waterhuge": 49.323, "dhfr_elements": 62.23}
NUMBER = {"H": 1, "C": 6, "N": 7, "O": 8, "S": 16}


def system(name: str):
    """Numbers, positions and cell of a shared system, and the bonds in its file."""
    rows = [line.split() for line in shared("systems", f"{name}.xyz").read_text().splitlines()]
    rows = rows[-int(rows[0][0]):]
    numbers = np.array([NUMBER[row[1]] for row in rows])
    positions = np.array([[float(word) for word in row[2:5]] for row in rows])
    bonds = {(k, int(word) - 1) for k, row in enumerate(rows) for word in row[6:]}
    return numbers, positions, EDGES[name] * np.eye(3), bonds


def model(name: str, folder):
    """A shipped model or one of the reference, float64, torch operations only."""
    torch.set_num_threads(1)
    if name == "bio1S_seed2":
        packed = shared("reference", "models", f"{name}.fnx.xz")
        name = folder / f"{name}.fnx"
        name.write_bytes(lzma.decompress(packed.read_bytes()))
    found = fx.load_model(name, dtype="float64")
    found.native = False
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["water-fast", "water-accurate", "bio1S_seed2"])
@pytest.mark.parametrize("box", ["waterbox", "waterbig"])
def test_labels_are_those_of_the_whole_system(box, name, tmp_path):
    numbers, positions, cell, _ = system(box)
    judge = model(name, tmp_path)
    whole = fx.evaluate(judge, numbers, positions, cell)
    molecules = find_molecules(numbers, positions, cell)
    for center, radius in ((0, 3.0), (len(numbers) // 2, 4.0)):
        fragment = cut_fragment(numbers, positions, cell, center, radius, exact_margin(judge),
                                molecules)
        found = label_fragment(judge, fragment)
        inner, source = fragment.inner, fragment.source[fragment.inner]
        forces, energies = (x[source] / units.EV_IN_KCAL for x in
                            (whole.forces, whole.atom_energies))
        print(f"{box} {name}: {len(fragment)} atoms, {inner.sum()} inner, forces differ by "
              f"{abs(found.forces[inner] - forces).max():.1e} eV/Å")
        assert found.exact
        assert inner.sum() > 5
        assert abs(forces).max() > 0.1
        assert abs(found.forces[inner] - forces).max() < 1e-9
        assert abs(found.atom_energies[inner] - energies).max() < 1e-9


@pytest.mark.slow
def test_memory_does_not_grow_with_the_system():
    """The largest memory of a process that labels one fragment, three sizes of system."""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs Linux's account of a process's largest memory")
    peak = {}
    for box in ("waterbox", "waterbig", "waterhuge"):
        shared("systems", f"{box}.xyz")
        command = [sys.executable, __file__, box]
        out = subprocess.run(command, capture_output=True, text=True, check=True,
                             env=os.environ | {"PYTHONPATH": str(TESTS)}).stdout
        peak[box] = float(out.split()[-1])
    print("MB at most:", peak)
    assert max(peak.values()) < 1.15 * min(peak.values())


def _in_small_ring(molecules, a: int, b: int) -> bool:
    """Whether a bond closes a ring of up to seven atoms: a plain search on the whole system."""
    steps, queue = {a: 0}, deque([a])
    while queue:
        atom = queue.popleft()
        for other in molecules.bonded(atom).tolist():
            if {atom, other} != {a, b} and other not in steps:
                steps[other] = steps[atom] + 1
                queue.append(other)
    return steps.get(b, 99) + 1 <= 7


@pytest.fixture(scope="module")
def dhfr():
    numbers, positions, cell, bonds = system("dhfr_elements")
    return numbers, positions, cell, bonds, find_molecules(numbers, positions, cell)


def test_bonds_of_dhfr_are_those_of_its_file(dhfr):
    numbers, _, _, bonds, molecules = dhfr
    ends = np.repeat(np.arange(len(numbers)), np.diff(molecules.first))
    assert set(zip(ends.tolist(), molecules.neighbor.tolist(), strict=True)) == bonds
    assert sorted(molecules.size.tolist())[-2:] == [3, 2489]


@pytest.mark.parametrize("margin", [6.0, 22.4])
def test_fragments_of_dhfr(dhfr, margin, tmp_path):
    """Twelve fragments, capped near by, and exact for water-accurate's range."""
    numbers, positions, cell, _, molecules = dhfr
    centers = choose_centers(numbers, positions, cell, 12, molecules, seed=1)
    degree, protein = np.diff(molecules.first), molecules.size[molecules.molecule] > 3
    assert 5 <= protein[centers].sum() <= 9
    made = [cut_fragment(numbers, positions, cell, k, 4.0, margin, molecules) for k in centers]
    for fragment in made:
        assert complaints(fragment, degree) == []
        caps, partner = fragment.caps, fragment.partner[fragment.caps]
        arms = fragment.positions[caps] - fragment.positions[partner]
        lengths = np.linalg.norm(arms, axis=1)
        assert ((lengths > 1.0) & (lengths < 1.1)).all()
        # sp3 carbon to any carbon, never in a ring
        for own, lost in zip(fragment.source[partner], fragment.replaced[caps], strict=True):
            assert numbers[own] == numbers[lost] == 6
            assert 4 in (degree[own], degree[lost])
            assert not _in_small_ring(molecules, int(own), int(lost))
    assert sum(len(fragment.caps) for fragment in made) > 50
    assert max(len(fragment) for fragment in made) < (700 if margin < 10 else 8000)
    if margin < 10.0:
        pytest.importorskip("matplotlib")
        assert len(draw_fragments(made, tmp_path / "dhfr.png").axes) == 12


@pytest.mark.slow
def test_labels_of_dhfr_are_those_of_the_whole(dhfr, tmp_path):
    """A protein of one molecule, cut and capped, by a model that knows its elements."""
    numbers, positions, cell, _, molecules = dhfr
    judge = model("bio1S_seed2", tmp_path)
    judge.native = True  # the whole system takes 2.4 GB, several times that otherwise
    whole = fx.evaluate(judge, numbers, positions, cell).forces / units.EV_IN_KCAL
    error = {}
    for margin in (exact_margin(judge), 6.0):
        fragment = cut_fragment(numbers, positions, cell, 1211, 4.0, margin, molecules)
        found = label_fragment(judge, fragment)
        assert len(fragment.caps)
        inner = fragment.inner
        error[found.exact] = abs(found.forces[inner] - whole[fragment.source[inner]]).max()
    print("forces differ by, eV/Å:", error)
    assert error[True] < 1e-9 < 1e-6 < error[False] < 0.1


if __name__ == "__main__":
    torch.set_num_threads(1)
    z, x, box, _ = system(sys.argv[1])
    accurate = fx.load_model("water-accurate", dtype="float64")
    label_fragment(accurate, cut_fragment(z, x, box, 0, 3.0, exact_margin(accurate)))
    # not ru_maxrss, which a process inherits from the one that started it
    status = Path("/proc/self/status").read_text()
    print(float(status.partition("VmHWM:")[2].split()[0]) / 1024.0)
