# SPDX-License-Identifier: MIT
"""Which fragments are chosen from a solvated peptide, and their picture."""

import numpy as np
import pytest
from helpers.chains import peptide
from helpers.waters import cubic, waters

from pyfennix.exceptions import InputError
from pyfennix.fragments.choose import BULK, INTERFACE, SOLUTE, choose_centers, surroundings
from pyfennix.fragments.cut import cut_fragment
from pyfennix.fragments.draw import draw_fragments
from pyfennix.fragments.images import distance_to
from pyfennix.fragments.molecules import find_molecules


def solvated():
    """A peptide among waters in a cell: numbers, positions, cell."""
    numbers, positions, _ = peptide(6)
    cell = np.diag(np.ptp(positions, axis=0) + 16.0)
    positions = positions - positions.min(axis=0) + 8.0
    water, places = waters(cell, tuple((np.diag(cell) // 3.1).astype(int).tolist()))
    clash = (distance_to(places, positions) < 2.2).reshape(-1, 3).any(axis=1).repeat(3)
    return (np.concatenate([numbers, water[~clash]]),
            np.concatenate([positions, places[~clash]]), cell)


def test_centers():
    numbers, positions, cell = solvated()
    molecules = find_molecules(numbers, positions, cell)
    group = surroundings(numbers, positions, cell, molecules, 4.0)
    assert (group[:62] == SOLUTE).all()
    assert set(group[62:].tolist()) == {INTERFACE, BULK}
    chosen = choose_centers(numbers, positions, cell, 10, molecules, seed=4)
    np.testing.assert_array_equal(chosen, choose_centers(numbers, positions, cell, 10, seed=4))
    others = [choose_centers(numbers, positions, cell, 10, molecules, seed=k) for k in range(5)]
    assert len({tuple(other.tolist()) for other in others}) > 1
    assert (np.diff(group[chosen]) >= 0).all()
    assert np.bincount(group[chosen]).tolist() == [6, 3, 1]
    assert (numbers[chosen] > 1).all()
    assert {6, 7, 8} <= set(numbers[chosen[:6]].tolist())
    between = distance_to(positions[chosen[1:]], positions[chosen[:1]])
    assert between.min() >= 4.0
    everything = choose_centers(numbers, positions, cell, len(numbers), molecules)
    assert len(everything) == len(set(everything.tolist())) == (numbers > 1).sum()


def test_centers_of_pure_water_and_of_nothing():
    numbers, positions = waters(cubic(8), (2, 2, 2))
    assert (choose_centers(numbers, positions, cubic(8), 3) % 3 == 0).all()
    assert len(choose_centers(numbers, positions, cubic(8), 0)) == 0
    with pytest.raises(InputError, match="negative"):
        choose_centers(numbers, positions, cubic(8), -1)


def test_drawing(tmp_path):
    pytest.importorskip("matplotlib")
    numbers, positions, cell = solvated()
    some = [cut_fragment(numbers, positions, cell, k, 3.0, 3.0, max_molecule=20) for k in (9, 40)]
    figure = draw_fragments(some, tmp_path / "some.png", titles=["first", "second"])
    assert (tmp_path / "some.png").stat().st_size > 10_000
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.split("\n")[0] for title in titles] == ["first", "second"]
    assert f"{len(some[0].caps)} caps" in titles[0]
    marks = [len(c.get_offsets()) for c in figure.axes[0].collections if len(c.get_offsets()) and
             tuple(c.get_edgecolors()[0][:3].round(2)) == (1.0, 0.77, 0.0)]
    assert sum(marks) == some[0].inner.sum()
    with pytest.raises(InputError, match="title for each"):
        draw_fragments(some, titles=["one"])


def test_a_new_surrounding_is_picked_before_a_known_one():
    """Of nine equal waters and one beside an ion, the odd one is among any two picked."""
    numbers, place = waters(cubic(1), (1, 1, 1), 5)
    steps = 20.0 * np.stack([np.arange(10), np.zeros(10), np.zeros(10)], axis=1)
    positions = (place[None] + steps[:, None]).reshape(-1, 3)
    numbers = np.concatenate([np.tile(numbers, 10), [17]])
    positions = np.concatenate([positions, positions[12:13] + np.array([0.0, 0.0, 3.2])])
    for seed in range(10):
        picked = choose_centers(numbers, positions, None, 2, seed=seed, shares=(0.0, 0.0, 1.0),
                                shell=1.0)
        assert 12 in picked
