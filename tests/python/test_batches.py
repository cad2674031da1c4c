# SPDX-License-Identifier: MIT
"""Many systems in one evaluation: nothing depends on mates, order, image or padding."""

import copy
from functools import cache

import numpy as np
import pytest
import torch
from helpers.configs import raster_config
from hypothesis import given, settings
from hypothesis import strategies as st

import pyfennix as fx
from pyfennix.models.batch import join_systems
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.graph import Topology
from pyfennix.models.pairs import build_pairs
from pyfennix.models.raster import embedding

ELEMENTS = (1, 6, 8, 11, 16, 17)


@cache
def model():
    """Random weights, float64."""
    torch.manual_seed(1)
    made = FennixModel(raster_config())
    for parameter in made.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return made.to(torch.float64).requires_grad_(False).eval()


class Pairs(fx.Model):
    """A user's model that knows nothing of batches."""

    cutoff = 4.0
    energy_unit = "eV"
    dtype = torch.float64

    def forward(self, graph):
        weight = (1 - graph.distances / self.cutoff) ** 3
        charge = graph.numbers.to(weight.dtype)
        return graph.sum_neighbors(weight * charge[graph.neighbor]) * charge[: graph.n_center]


@st.composite
def systems(draw, most=7):
    """A random system: isolated, or in a skewed cell that may be smaller than the cutoff."""
    n = draw(st.integers(1, most))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    numbers = random.choice(ELEMENTS, size=n)
    # on a jittered grid: neither overlapping nor ordered
    grid = np.array(list(np.ndindex(3, 3, 3)), dtype=float)[random.permutation(27)[:n]]
    positions = 1.7 * grid + random.uniform(-0.3, 0.3, (n, 3))
    cell = None
    if draw(st.booleans()):
        cell = np.diag(random.uniform(5.4, 7.0, 3)) + random.uniform(-0.8, 0.8, (3, 3))
    return numbers, positions, cell, float(draw(st.integers(-2, 2)))


def differences(one, two):
    """Largest differences of energy, forces and virial, relative to their size."""
    return max(
        abs(one.energy - two.energy) / (1 + abs(one.energy)),
        np.abs(one.forces - two.forces).max(initial=0) / (1 + np.abs(one.forces).max(initial=0)),
        np.abs(one.virial - two.virial).max() / (1 + np.abs(one.virial).max()),
    )


@settings(deadline=None, max_examples=8)
@given(st.lists(systems(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_batch_is_its_members(members, random):
    random.shuffle(members)
    names = ("etot", "charges", "embedding")
    batch = fx.evaluate_batch(model(), members, outputs=names, spread=True)
    for member, found in zip(members, batch, strict=True):
        alone = fx.evaluate(model(), *member, outputs=names, spread=True)
        assert differences(alone, found) < 1e-11
        assert found.spread == pytest.approx(alone.spread, rel=1e-9)
        assert np.allclose(found.atom_energies, alone.atom_energies, rtol=0, atol=1e-9)
        for name in names:
            assert found.outputs[name].shape == alone.outputs[name].shape
            assert np.allclose(found.outputs[name], alone.outputs[name], rtol=0, atol=1e-10)


@settings(deadline=None, max_examples=5)
@given(st.lists(systems(), min_size=1, max_size=5))
def test_a_models_author_need_not_think_of_batches(members):
    for member, found in zip(members, fx.evaluate_batch(Pairs(), members), strict=True):
        assert differences(fx.evaluate(Pairs(), *member), found) < 1e-12


@settings(deadline=None, max_examples=8)
@given(systems(), st.randoms(use_true_random=False))
def test_order_of_atoms_and_image_do_not_matter(system, random):
    numbers, positions, cell, charge = system
    before = fx.evaluate(model(), *system)
    order = list(range(len(numbers)))
    random.shuffle(order)
    moved = positions[order] + np.array([random.uniform(-9, 9) for _ in range(3)])
    if cell is not None:
        moved += np.array([[random.randint(-3, 3) for _ in range(3)] for _ in order]) @ cell
    after = fx.evaluate(model(), numbers[order], moved, cell, charge)
    inverse = np.argsort(order)
    after.forces = after.forces[inverse]
    assert differences(before, after) < 1e-10


@settings(deadline=None, max_examples=5)
@given(systems())
def test_a_cell_repeated_is_an_energy_repeated(system):
    numbers, positions, cell, charge = system
    cell = 6.0 * np.eye(3) if cell is None else cell
    once = fx.evaluate(model(), numbers, positions, cell, charge)
    twice = fx.evaluate(
        model(), np.tile(numbers, 2), np.concatenate([positions, positions + cell[1]]),
        cell * np.array([[1.0], [2.0], [1.0]]), 2 * charge,
    )
    assert twice.energy == pytest.approx(2 * once.energy, rel=1e-10, abs=1e-9)
    assert np.allclose(twice.forces, np.tile(once.forces, (2, 1)), rtol=0,
                       atol=1e-9 * (1 + np.abs(once.forces).max()))


@settings(deadline=None, max_examples=5)
@given(systems(), st.floats(0.1, 2.0))
def test_pairs_beyond_the_cutoff_do_not_matter(system, skin):
    numbers, positions, cell, charge = system
    n, tensor = len(numbers), None if cell is None else torch.tensor(cell)
    results = []
    for reach in (model().cutoff, model().cutoff + skin):
        pairs = build_pairs(positions, cell, reach)
        topology = Topology.from_csr(numbers, *pairs, n, n, n, None, charge)
        results.append(evaluate_topology(model(), topology, torch.tensor(positions), tensor))
    assert float(results[0].energy) == pytest.approx(float(results[1].energy), rel=1e-12)
    assert torch.allclose(results[0].forces, results[1].forces, rtol=0, atol=1e-10)


def test_equal_systems_share_their_static_part():
    water = (np.array([8, 1, 1]), np.eye(3), None, 0.0)
    charged = (*water[:3], 1.0)
    lists = [(m[0], *build_pairs(m[1], None, 4.0), m[3]) for m in (water, charged, water)]
    systems = join_systems(lists).systems
    assert systems.group_of == (0, 1, 0)
    assert systems.kind_numbers == [1, 8, 1, 8]
    assert [part.tolist() for part in systems.pairs()] == [
        [0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 2, 3, 2, 3]
    ]


def test_many_compositions_take_the_same_path():
    """Hundreds of pairs of kinds, more than are worth a matrix product each."""
    random = np.random.default_rng(0)
    members = [(random.choice(ELEMENTS, size=6), random.uniform(0, 6, (6, 3)), None, 0.0)
               for _ in range(30)]
    for member, found in zip(members, fx.evaluate_batch(model(), members), strict=True):
        assert differences(fx.evaluate(model(), *member), found) < 1e-10


def test_no_atoms_and_no_systems():
    nothing = (np.zeros(0, dtype=int), np.zeros((0, 3)), None, 0.0)
    lone = ([8], [[0.0, 0, 0]])
    assert fx.evaluate_batch(model(), []) == []
    found = fx.evaluate_batch(model(), [nothing, lone, nothing])
    assert [len(f.forces) for f in found] == [0, 1, 0]
    assert found[0].energy == 0.0
    assert found[1].energy == pytest.approx(fx.evaluate(model(), *lone).energy)


def test_systems_may_be_maps():
    lone = {"numbers": [8], "positions": [[0.0, 0, 0]], "charge": 1.0}
    (found,) = fx.evaluate_batch(model(), [lone])
    assert found.energy == pytest.approx(fx.evaluate(model(), [8], [[0, 0, 0]], None, 1.0).energy)


@pytest.mark.parametrize(
    ("system", "text"),
    [
        ({"numbers": [1], "place": 3}, "system 1 .*'place'"),
        ({"numbers": [1]}, "system 1 .*'positions'"),
        (([1],), "system 1 .*1 entries"),
        (([1], [[0, 0, 0], [0, 0, 1]]), "system 1 .* 2 positions"),
        (([1], [["a", 0, 0]]), "system 1 .* needs numbers"),
        (([1], [[0, 0, 0]], [1, 2]), "system 1 .* cell of shape"),
    ],
)
def test_what_is_no_system_is_named(system, text):
    with pytest.raises(fx.InputError, match=text):
        fx.evaluate_batch(model(), [([8], [[0, 0, 0]]), system])


def test_a_model_that_needs_one_composition_says_so():
    class Counting(Pairs):
        def forward(self, graph):
            return super().forward(graph) * len(graph.composition)

    same = [([8], [[0, 0, 0]]), ([8], [[1.0, 0, 0]])]
    assert len(fx.evaluate_batch(Counting(), same)) == 2
    with pytest.raises(fx.ModelError, match=r"graph\.topology\.systems"):
        fx.evaluate_batch(Counting(), [*same, ([1], [[0, 0, 0]])])


def test_unknown_outputs_and_absent_ensembles_are_named():
    with pytest.raises(fx.ModelError, match=r"no output .embeding.: there are .*embedding"):
        fx.evaluate(model(), [8], [[0, 0, 0]], outputs=("embeding",))
    with pytest.raises(fx.ModelError, match="no spread"):
        fx.evaluate(Pairs(), [8], [[0, 0, 0]], spread=True)


@pytest.mark.parametrize("many", [0, 200], ids=["many kinds", "few kinds"])
def test_training_sees_the_sum_of_its_members(many, monkeypatch):
    """Gradients of a loss on energies and forces with respect to every parameter."""
    monkeypatch.setattr(embedding, "_MANY_PAIRS", many)
    trained = copy.deepcopy(model()).requires_grad_(True)
    random = np.random.default_rng(2)
    members = [(random.choice(ELEMENTS, size=n), random.uniform(0, 4, (n, 3)), charge)
               for n, charge in ((4, 0.0), (6, 1.0), (3, 0.0))]
    lists = [(numbers, *build_pairs(positions, None, trained.cutoff), charge)
             for numbers, positions, charge in members]

    def gradients(group, places):
        graph = join_systems(group).graph(torch.tensor(places), None, trained.cutoff,
                                          torch.float64)
        energies = trained(graph)
        (slope,) = torch.autograd.grad(energies.sum(), graph.vectors, create_graph=True)
        loss = energies.sum() + slope.square().sum()
        return torch.autograd.grad(loss, list(trained.parameters()), allow_unused=True)

    whole = gradients(lists, np.concatenate([positions for _, positions, _ in members]))
    parts = [gradients([own], positions)
             for own, (_, positions, _) in zip(lists, members, strict=True)]
    reached = 0
    for total, *alone in zip(whole, *parts, strict=True):
        found = [g for g in alone if g is not None]
        assert (total is None or not total.any()) if not found else True
        if found:
            expected = sum(found)
            # 1e-7: the exponents of switches and ranges are rounded to float32 on their way
            assert torch.allclose(total, expected, rtol=1e-8, atol=2e-7 * expected.abs().max())
            reached += 1
    assert reached > 30
