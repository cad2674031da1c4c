# SPDX-License-Identifier: MIT
"""What one rank of many would see: whole, without doubles, and as the models need it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.fennix_shapes import random_model
from helpers.waters import cubic, waters

from pyfennix import InputError
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.virtual_ranks import VirtualRanks, evaluate_view

CELL = np.array([[12.0, 0.0, 0.0], [3.0, 11.0, 0.0], [-2.0, 2.5, 13.0]])


@pytest.fixture(scope="module")
def system():
    return *waters(CELL, (4, 4, 3), seed=7), CELL


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return random_model(tmp_path_factory.mktemp("model"), "M", dim=16)


@pytest.mark.parametrize("bricks", [(2, 1, 1), (1, 3, 1), (2, 2, 1), (2, 2, 2)])
def test_the_parts_of_all_ranks_make_the_whole(bricks, system, model):
    whole = VirtualRanks(*system, 1)
    view = whole.see(0, model.halo, model.cutoff)
    alone = evaluate_view(model, whole, view, whole.topology(view), False)
    ranks = VirtualRanks(*system, int(np.prod(bricks)), bricks)
    assert ranks.owned.sum() == len(system[0])
    energy, total = 0.0, np.zeros(3)
    for rank, owned in enumerate(ranks.owned):
        seen = ranks.see(rank, model.halo, model.cutoff, model.center_halo)
        assert seen.n_local == owned
        assert seen.n_local <= seen.n_center <= seen.n_total
        assert seen.numbers.dtype == seen.first.dtype == np.int32
        assert seen.positions.dtype == np.float64
        part = evaluate_view(model, ranks, seen, ranks.topology(seen), False)
        energy += float(part.energy)
        total += part.forces.numpy().sum(axis=0)
    assert energy == pytest.approx(float(alone.energy), abs=1e-10)
    assert np.abs(total).max() < 1e-10


def test_an_exchange_needs_fewer_ghosts_and_pairs(system, model):
    ranks = VirtualRanks(*system, 2)
    wide = ranks.see(0, model.halo, model.cutoff, model.center_halo)
    near = ranks.see(0, model.cutoff, model.cutoff)
    assert near.n_total < wide.n_total
    assert near.n_edges < wide.n_edges
    assert near.n_center == near.n_local
    result = evaluate_view(model, ranks, near, ranks.topology(near), True)
    assert torch.isfinite(result.forces).all()
    assert type(model.exchange).__name__ == "Exchange"


def test_isolated_atoms_and_ranks_without_any(model):
    numbers, positions = waters(cubic(8), (2, 2, 2))
    ranks = VirtualRanks(numbers, positions, None, 4)
    assert ranks.owned.sum() == 24
    far = np.vstack([positions, positions + 200.0])
    ranks = VirtualRanks(np.tile(numbers, 2), far, None, 6, (6, 1, 1))
    assert sorted(ranks.owned.tolist()) == [0, 0, 0, 0, 24, 24]
    assert ranks.see(2, 8.0, 8.0).n_total == 0


def test_bricks_must_fit(system):
    with pytest.raises(InputError, match="cannot be cut into"):
        VirtualRanks(*system, 3, (2, 1, 1))
    with pytest.raises(InputError, match="check their product and the cell"):
        VirtualRanks(*system[:2], np.zeros((3, 3)), 2, (2, 1, 1))


def test_the_whole_list_is_that_of_python(system, model):
    from pyfennix.models.graph import Topology
    from pyfennix.models.pairs import build_pairs

    numbers, positions, cell = system
    whole = VirtualRanks(*system, 1)
    view = whole.see(0, model.halo, model.cutoff)
    n = len(numbers)
    topology = Topology.from_csr(numbers, *build_pairs(positions, cell, model.cutoff), n, n, n)
    ours = evaluate_view(model, whole, view, whole.topology(view), False)
    other = evaluate_topology(model, topology, torch.from_numpy(positions), torch.from_numpy(cell))
    assert view.n_edges == len(topology.neighbor)
    np.testing.assert_allclose(ours.forces, other.forces, atol=1e-11)
