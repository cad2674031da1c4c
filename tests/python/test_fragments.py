# SPDX-License-Identifier: MIT
"""Fragments are what a chemist would cut: whole molecules, or capped at sensible single bonds."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from helpers.chains import alkane, cycloalkane, peptide, polyphenyl
from helpers.waters import cubic, waters
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfennix.exceptions import InputError
from pyfennix.fragments.cut import cut_fragment, trim
from pyfennix.fragments.cutting import CARBON_CHAIN, CARBONS, CONJUGATED, NEVER, SINGLE, Cutter
from pyfennix.fragments.fragment import complaints
from pyfennix.fragments.images import distance_to, images_near, nearest_images
from pyfennix.fragments.molecules import find_molecules

SKEWED = np.array([[7.0, 0.0, 0.0], [2.0, 6.5, 0.0], [-1.5, 1.0, 6.8]])


@st.composite
def cells(draw):
    """A cell of any shape, also much smaller than what is looked for in it."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return np.diag(random.uniform(3.0, 9.0, 3)) + random.uniform(-1.2, 1.2, (3, 3))


@given(cells(), st.integers(0, 1000), st.floats(0.5, 12.0))
@settings(max_examples=30, deadline=None)
def test_images_are_those_of_a_plain_search(cell, seed, reach):
    random = np.random.default_rng(seed)
    positions = random.uniform(-1.0, 2.0, (5, 3)) @ cell
    points = positions[0] + random.uniform(-2.0, 2.0, (3, 3))
    atom, image, distance = images_near(positions, cell, points, reach)
    found = {(a, *i): d for a, i, d in zip(atom.tolist(), image.tolist(), distance, strict=True)}
    assert len(found) == len(atom)
    far = int(2 + np.ceil((reach + 4.0) * np.linalg.norm(np.linalg.inv(cell), axis=0).max())) + 2
    steps = np.array(list(np.ndindex(*[2 * far + 1] * 3))) - far
    for a, place in enumerate(positions):
        each = distance_to(place + steps @ cell, points)
        for step, d in zip(steps[each <= reach], each[each <= reach], strict=True):
            assert found.pop((a, *step.tolist())) == pytest.approx(d, abs=1e-12)
    assert not found


@given(cells(), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_nearest_image_is_the_shortest(cell, seed):
    vectors = np.random.default_rng(seed).uniform(-2.0, 2.0, (20, 3)) @ cell
    best = np.linalg.norm(vectors + nearest_images(vectors, cell) @ cell, axis=1)
    steps = np.array(list(np.ndindex(13, 13, 13))) - 6
    every = np.linalg.norm(vectors[:, None] + (steps @ cell)[None], axis=2).min(axis=1)
    np.testing.assert_allclose(best, every, atol=1e-9)


@pytest.mark.parametrize("cell", [cubic(27), SKEWED, cubic(1) + 1.0], ids=["cubic", "skew", "one"])
def test_waters_are_molecules_wherever_the_cell_cuts_them(cell):
    counts = (3, 3, 3) if cell[0, 0] > 9.0 else (1, 1, 1)
    numbers, positions = waters(cell, counts)
    rng = np.random.default_rng(3)
    scattered = positions + rng.integers(-2, 3, positions.shape) @ cell
    found = find_molecules(numbers, scattered, cell)
    assert (found.size == 3).all()
    assert not found.endless.any()
    np.testing.assert_array_equal(found.molecule, np.arange(len(numbers)) // 3)
    joined = scattered + found.offset @ cell
    for k in range(0, len(joined), 3):
        np.testing.assert_allclose(joined[k : k + 3] - joined[k], positions[k : k + 3]
                                   - positions[k], atol=1e-9)
    given_bonds = [(k, k + step) for k in range(0, len(joined), 3) for step in (1, 2)]
    again = find_molecules(numbers, scattered, cell, given_bonds)
    for name in ("first", "neighbor", "shift", "molecule", "offset", "size", "endless"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))


def test_a_shared_proton_has_one_bond_and_an_ion_none():
    numbers = [8, 1, 8, 11, 8]
    positions = [[0, 0, 0], [1.15, 0, 0], [2.32, 0, 0], [0, 2.2, 0], [0, 4.4, 0]]
    found = find_molecules(numbers, positions)
    assert [found.bonded(k).tolist() for k in range(5)] == [[1], [0], [], [], []]


def test_hydrogen_gas_keeps_its_bond():
    found = find_molecules([1, 1, 11], [[0, 0, 0], [0.74, 0, 0], [9, 0, 0]])
    assert found.size.tolist() == [2, 1]
    assert find_molecules([11], [[0, 0, 0]]).size.tolist() == [1]


def test_a_chain_through_the_cell_is_endless():
    cell = np.diag([2.5, 20.0, 20.0])
    found = find_molecules([6, 6], [[0, 0, 0], [1.25, 0.88, 0]], cell)
    assert found.endless.tolist() == [True]
    assert find_molecules([6, 6], [[0, 0, 0], [1.25, 0.88, 0]]).endless.tolist() == [False]


@pytest.mark.parametrize(("bonds", "message"), [
    ([(0, 1, 2)], "expected"), ([(0, 122)], "outside"), ([(0, 4)], "Å long")])
def test_wrong_bonds_are_refused(bonds, message):
    numbers, positions = alkane(40)
    with pytest.raises(InputError, match=message):
        find_molecules(numbers, positions, None, bonds)


@given(cells(), st.integers(0, 1000), st.floats(0.0, 3.0), st.floats(0.0, 9.0))
@settings(max_examples=15, deadline=None)
def test_fragments_of_water(cell, seed, radius, margin):
    """Whole molecules, everything within the margin, at most one inner image of an atom."""
    cell = cell * (2 * 29.99 / abs(np.linalg.det(cell))) ** (1.0 / 3.0)
    numbers, positions = waters(cell, (2, 1, 1), seed)
    bonds = [(0, 1), (0, 2), (3, 4), (3, 5)]
    found = cut_fragment(numbers, positions, cell, 3, radius, margin, bonds, charge=1.0)
    np.testing.assert_allclose(
        found.positions, positions[found.source] + found.image @ cell, atol=1e-12)
    np.testing.assert_array_equal(found.numbers, numbers[found.source])
    assert (np.diff(found.inner.astype(int)) <= 0).all()
    assert found.inner[(found.source == 3) & (found.image == 0).all(axis=1)].all()
    sources = found.source[found.inner]
    assert len(set(sources.tolist())) == len(sources)
    away = found.positions[found.inner] - positions[3]
    nearest = np.linalg.norm(away + nearest_images(away, cell) @ cell, axis=1)
    np.testing.assert_allclose(np.linalg.norm(away, axis=1), nearest, atol=1e-8)
    atom, image, _ = images_near(positions, cell, found.positions[found.inner], margin)
    held = {(s, *i) for s, i in zip(found.source.tolist(), found.image.tolist(), strict=True)}
    assert held >= {(s, *i) for s, i in zip(atom.tolist(), image.tolist(), strict=True)}
    assert len(held) == len(found)
    assert Counter(np.bincount(found.bonds.ravel(), minlength=len(found))[found.numbers == 8]
                   ) == {2: len(found) // 3}
    np.testing.assert_allclose(
        found.distance, distance_to(found.positions, found.positions[found.inner]), atol=1e-9)
    assert (found.composition, found.total_charge) == ({1: 4, 8: 2}, 1.0)
    assert not len(found.caps)


def test_ranks_of_bonds():
    numbers, positions, names = peptide(4)
    cutter = Cutter(numbers, positions, None, find_molecules(numbers, positions))

    def rank(first: str, second: str, k: int = 2) -> int:
        a, b = ([i for i, name in enumerate(names) if name == word] for word in (first, second))
        shift = 1 if (first, second) == ("C", "N") else 0
        return cutter.rank((a[k], 0, 0, 0), (b[k + shift], 0, 0, 0))

    found = [rank(*pair) for pair in (("CA", "CB"), ("CA", "C"), ("N", "CA"), ("O", "C"))]
    assert found == [CARBONS, CARBON_CHAIN, SINGLE, NEVER]
    assert rank("C", "N", 1) == rank("C", "N", 0) == CONJUGATED
    assert rank("CA", "HA") == NEVER


@pytest.mark.parametrize(("size", "rank"), [(3, NEVER), (6, NEVER), (7, NEVER), (8, CARBONS)])
def test_small_rings_are_not_opened(size, rank):
    numbers, positions = cycloalkane(size)
    molecules = find_molecules(numbers, positions)
    assert np.diff(molecules.first)[:size].tolist() == [4] * size
    cutter = Cutter(numbers, positions, None, molecules)
    sites = [(k, 0, 0, 0) for k in range(size)]
    assert {cutter.rank(sites[k - 1], sites[k]) for k in range(size)} == {rank}
    assert cutter.ring_size(sites[0], sites[1]) == size
    found = cut_fragment(numbers, positions, None, 0, 0.1, 0.1, max_molecule=2)
    assert (len(found.caps) == 0) == (rank == NEVER)


@given(st.integers(0, 201), st.floats(0.0, 4.0), st.floats(0.0, 8.0))
@settings(max_examples=40, deadline=None)
def test_a_peptide_is_cut_beside_its_alpha_carbons(center, radius, margin):
    numbers, positions, names = peptide(20)
    molecules = find_molecules(numbers, positions)
    found = cut_fragment(numbers, positions, None, center, radius, margin, molecules)
    assert complaints(found, np.diff(molecules.first)) == []
    cuts = {(names[found.source[found.partner[k]]], names[found.replaced[k]]) for k in found.caps}
    assert cuts <= {("C", "CA"), ("CA", "C"), ("CA", "CB"), ("CB", "CA")}
    lengths = np.linalg.norm(found.positions[found.caps]
                             - found.positions[found.partner[found.caps]], axis=1)
    np.testing.assert_allclose(lengths, 1.09, atol=1e-9)
    assert 0 < len(found.caps) < 20
    for k in found.caps:  # along the bond that was cut
        own, lost = positions[found.source[found.partner[k]]], positions[found.replaced[k]]
        arm = found.positions[k] - own
        assert arm @ (lost - own) == pytest.approx(1.09 * np.linalg.norm(lost - own))


def test_alkane_in_the_middle():
    numbers, positions = alkane(40)
    found = cut_fragment(numbers, positions, None, 20, 2.0, 3.0)
    carbons = (found.numbers == 6).sum()
    assert (found.formula, len(found.caps)) == (f"C{carbons} H{2 * carbons + 2}", 2)
    assert carbons < 12
    whole = cut_fragment(numbers, positions, None, 20, 2.0, 3.0, max_molecule=200)
    assert (len(whole), len(whole.caps), whole.margin) == (len(numbers), 0, np.inf)


def test_rings_stay_whole_and_conjugated_bonds_are_cut_last():
    numbers, positions = polyphenyl(8)
    found = cut_fragment(numbers, positions, None, 3, 1.0, 1.0, max_molecule=20)
    assert (found.formula, len(found.caps)) == ("C6 H6", 1)
    assert found.replaced[found.caps].tolist() == [9]
    # where the molecule soon ends it is not cut there at all
    numbers, positions = polyphenyl(2)
    assert cut_fragment(numbers, positions, None, 3, 1.0, 1.0, max_molecule=5).formula == "C12 H10"
    # a sheet of carbon: nothing but rings
    edge = 1.42 * np.sqrt(3.0)
    cell = np.array([[edge, 0, 0], [0.5 * edge, 1.5 * 1.42, 0], [0, 0, 20.0]])
    with pytest.raises(InputError, match="can be cut"):
        cut_fragment([6, 6], [[0, 0, 0], [0, 1.42, 0]], cell, 0, 1.0, 1.0)


def test_caps_never_meet():
    """Both bonds of the middle carbon would be cut, and their hydrogens be 0.7 Å apart."""
    numbers, positions = alkane(3)
    found = cut_fragment(numbers, positions, None, [0, 2], 0.0, 0.1, max_molecule=2)
    assert (found.formula, found.inner.sum(), complaints(found)) == ("C3 H8", 2, [])


def test_an_endless_chain_is_cut_where_the_sphere_ends():
    numbers, positions = alkane(6)
    period = positions[4, 0] - positions[0, 0]
    inside = [k for k in range(len(numbers))
              if 0.5 * period / 4 < positions[k, 0] < 4.5 * period / 4]
    cell = np.diag([period, 30.0, 30.0])
    molecules = find_molecules(numbers[inside], positions[inside], cell)
    assert molecules.endless.tolist() == [True]
    found = cut_fragment(numbers[inside], positions[inside], cell, 0, 1.0, 12.0, molecules)
    assert len(found.caps) == 2
    assert complaints(found, np.diff(molecules.first)) == []
    assert Counter(found.source.tolist())[0] > 2


@pytest.mark.parametrize(("what", "message"), [
    ({"center_atoms": 99}, "center atoms"), ({"center_atoms": []}, "center atoms"),
    ({"inner_radius": -1.0}, "radii"), ({"margin": np.nan}, "radii")])
def test_wrong_spheres_are_refused(what, message):
    numbers, positions = waters(cubic(8), (2, 2, 2))
    sphere = {"center_atoms": 0, "inner_radius": 1.0, "margin": 1.0} | what
    with pytest.raises(InputError, match=message):
        cut_fragment(numbers, positions, cubic(8), **sphere)


def test_complaints_are_found():
    numbers, positions = alkane(40)
    good = cut_fragment(numbers, positions, None, 20, 2.0, 3.0)
    degree = np.diff(find_molecules(numbers, positions).first)
    moved = good.positions.copy()
    moved[-1] = moved[0]
    said = complaints(replace(good, positions=moved))
    assert any("apart" in line for line in said)
    assert any("from its partner" in line for line in said)
    assert "bonds" in complaints(replace(good, bonds=good.bonds[1:]), degree)[0]
    assert "within the margin" in complaints(replace(good, margin=9.0))[0]


def test_trimming():
    numbers, positions = waters(cubic(27), (3, 3, 3))
    whole = cut_fragment(numbers, positions, cubic(27), 0, 2.0, 8.0)
    small = trim(whole, 3.0)
    assert small.distance.max() <= 3.0 < whole.distance.max()
    assert len(small) == (whole.distance <= 3.0).sum()
    assert (small.margin, small.complete) == (3.0, False)
    assert small.composition == whole.composition
    with pytest.raises(InputError, match="cannot be trimmed"):
        trim(small, 4.0)
