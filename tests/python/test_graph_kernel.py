# SPDX-License-Identifier: MIT
"""The compiled kernels of pair lists, edges and forces against numpy and torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfennix.exceptions import ModelError
from pyfennix.models import pairs
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.fnx.edges import all_edges, filter_edges
from pyfennix.models.forces import forces_and_virials
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model
from pyfennix.models.native import edges as kernels
from pyfennix.models.native import pair_list
from pyfennix.models.native.edges import short_edges, sorted_edges

CUTOFF, SKIN = 4.0, 0.6


@pytest.fixture
def threads():
    """Sets the number of torch's threads; it is put back afterwards."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def random_cell(rng, size: float, skew: float) -> np.ndarray:
    """A cell that is not flat."""
    while True:
        cell = size * (np.eye(3) + skew * rng.normal(size=(3, 3)))
        if abs(np.linalg.det(cell)) > 0.15 * size**3:
            return cell


def system(seed: int, n: int = 40, size: float = 6.0, spread: float = 1.0):
    """Positions and triclinic cell; ``spread`` cells apart, so not wrapped."""
    rng = np.random.default_rng(seed)
    cell = random_cell(rng, size, 0.2)
    return rng.uniform(-spread, 1 + spread, (n, 3)) @ cell, cell


def topology(positions, cell, n_center=None) -> Topology:
    """A list with a skin; only the first ``n_center`` atoms are receivers."""
    n = len(positions)
    n_center = n if n_center is None else n_center
    first, neighbor, shift = pairs.build_pairs(positions, cell, CUTOFF + SKIN)
    end = first[n_center]
    return Topology.from_csr(np.ones(n, dtype=int), first[: n_center + 1], neighbor[:end],
                             shift[:end], n_center, n_center, n)


def both_graphs(positions, cell, n_center=None, dtype=torch.float64, move: float = 0.05):
    """(vectors, receiver, neighbor, first) by the kernels and by torch, after a small move."""
    top = topology(positions, cell, n_center)
    moved = positions + move * np.random.default_rng(3).normal(size=positions.shape)
    here, box = torch.tensor(moved), None if cell is None else torch.tensor(cell)
    packed = pair_list.pack(top.first, top.neighbor, top.shift)
    graph = top.graph(here, box, CUTOFF, dtype)
    reference = graph.vectors.detach(), graph.receiver, graph.neighbor, graph.first
    return pair_list.close_pairs(packed, here, box, CUTOFF, dtype), reference, top


@given(n=st.integers(0, 40), size=st.floats(2.0, 14.0), skew=st.sampled_from([0.0, 0.1, 0.3]),
       cutoff=st.floats(0.5, 7.0), periodic=st.booleans(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_pair_lists_are_those_of_numpy(n, size, skew, cutoff, periodic, seed):
    rng = np.random.default_rng(seed)
    cell = random_cell(rng, size, skew) if periodic else None
    positions = size * rng.uniform(-2, 3, (n, 3))
    found = []
    for use in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pairs, "available", lambda like, use=use: use)
            found.append(pairs.build_pairs(positions, cell, cutoff))
    for ours, reference in zip(*found, strict=True):
        assert ours.dtype == reference.dtype == np.int32
        assert np.array_equal(ours, reference)


@pytest.mark.parametrize("positions", [
    np.zeros((1, 3)), [[0.0, 0, 0], [1e6, 0, 0], [1e6, 0, 1]], [[0.0, 0, 0], [0, 0, 0]],
    [[0.0, 0, 0], [5.0, 0, 0], [0, 0, 4.999999]],
])
def test_pair_lists_of_odd_systems(positions, monkeypatch):
    """One atom, far atoms, atoms on one place, distances at and below the cutoff."""
    found = pairs.build_pairs(positions, None, 5.0)
    monkeypatch.setattr(pairs, "available", lambda like: False)
    reference = pairs.build_pairs(positions, None, 5.0)
    assert all(np.array_equal(a, b) for a, b in zip(found, reference, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", ["periodic", "unwrapped", "isolated", "ghosts", "small", "none"])
def test_close_pairs_are_those_of_torch(case, dtype, monkeypatch):
    positions, cell = system(1, n={"small": 1, "none": 0}.get(case, 40),
                             size=2.5 if case == "small" else 6.0,
                             spread=30.0 if case == "unwrapped" else 1.0)
    if case == "unwrapped":
        monkeypatch.setattr(pair_list, "_MAX_CODES", 100)
    if case == "isolated":
        cell = None
        positions = positions / 3
    ours, reference, top = both_graphs(positions, cell, 25 if case == "ghosts" else None, dtype)
    if case != "none":
        assert 0 < len(reference[1]) < len(top.neighbor)
    for a, b in zip(ours[1:], reference[1:], strict=True):
        assert a.dtype == torch.int64
        assert torch.equal(a, b)
    assert ours[0].dtype == dtype
    limit = 1e-12 if dtype == torch.float64 else 1e-6
    assert not len(ours[0]) or float((ours[0] - reference[0]).abs().max()) < limit


def test_several_systems_have_cells_of_their_own():
    parts, cells = [system(seed, n=20) for seed in (1, 2)], []
    firsts, neighbors, shifts, expected = [torch.zeros(1, dtype=torch.int64)], [], [], []
    for k, (positions, cell) in enumerate(parts):
        top = topology(positions, cell)
        firsts.append(top.first[1:] + firsts[-1][-1])
        neighbors.append(top.neighbor + 20 * k)
        shifts.append(top.shift)
        cells.append(torch.tensor(cell))
        expected.append(top.graph(torch.tensor(positions), cells[-1], CUTOFF, torch.float64))
    of_edge = torch.cat([torch.full((len(s),), k) for k, s in enumerate(shifts)])
    packed = pair_list.pack(torch.cat(firsts), torch.cat(neighbors), torch.cat(shifts), of_edge)
    here = torch.tensor(np.concatenate([positions for positions, _ in parts]))
    vectors, receiver, neighbor, first = pair_list.close_pairs(
        packed, here, torch.stack(cells), CUTOFF, torch.float64)
    assert torch.allclose(vectors, torch.cat([g.vectors for g in expected]), rtol=0, atol=1e-12)
    assert torch.equal(neighbor, torch.cat([g.neighbor + 20 * k for k, g in enumerate(expected)]))
    gradient = torch.randn_like(vectors)
    atoms = torch.arange(40) // 20
    forces, virials = kernels.forces_and_virials(gradient, vectors, first,
                                                 sorted_edges(neighbor, 40), atoms, 2)
    for k, graph in enumerate(expected):
        own = atoms[receiver] == k
        ours, virial = forces_and_virials(gradient[own], graph, native=False)
        assert torch.allclose(virials[k], virial[0], rtol=0, atol=1e-12)
        assert torch.allclose(forces[atoms == k], ours, rtol=0, atol=1e-12)


def test_not_a_number_is_kept():
    positions, cell = system(1)
    top = topology(positions, cell)
    positions[3, 1] = np.nan
    packed = pair_list.pack(top.first, top.neighbor, top.shift)
    vectors, receiver, neighbor, first = pair_list.close_pairs(
        packed, torch.tensor(positions), torch.tensor(cell), CUTOFF, torch.float32)
    broken = vectors.isnan().any(1)
    assert broken.any()
    assert torch.equal(broken, (receiver == 3) ^ (neighbor == 3))
    short = short_edges(vectors, neighbor, first, 2.0, 1e-5)
    assert int(short[0].isnan().any(1).sum()) == int(broken.sum())


@pytest.mark.parametrize(("n_edges", "n"), [(0, 0), (0, 4), (1, 1), (500, 7), (3000, 4000)])
def test_edges_in_stable_order(n_edges, n, threads):
    index = torch.randint(0, max(n, 1), (n_edges,), generator=torch.Generator().manual_seed(1))
    for count in (1, 2, 3):
        threads(count)
        order, bounds = sorted_edges(index, n)
        assert torch.equal(order, torch.argsort(index, stable=True))
        assert torch.equal(bounds.diff(), torch.bincount(index, minlength=n))


def long_list(seed: int = 1, n_center=None, dtype=torch.float64):
    """A whole graph, and its edges as torch operations see them."""
    positions, cell = system(seed)
    top = topology(positions, cell, n_center)
    graph = top.graph(torch.tensor(positions), torch.tensor(cell), CUTOFF, dtype)
    return graph, all_edges(graph)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_short_edges_are_those_of_torch(dtype):
    graph, edges = long_list(dtype=dtype)
    reference = filter_edges(edges, 2.5)
    vectors, receiver, neighbor, first = short_edges(graph.vectors, graph.neighbor, graph.first,
                                                     2.5, 1e-5)
    assert 0 < len(vectors) < len(graph.vectors)
    for a, b in zip((vectors, receiver, neighbor, first),
                    (reference.vectors, reference.receiver, reference.neighbor, reference.first),
                    strict=True):
        assert torch.equal(a, b)
    weight = torch.randn_like(vectors)
    ours, theirs = (torch.autograd.grad((v * weight).sum(), graph.vectors)[0]
                    for v in (vectors, reference.vectors))
    assert torch.equal(ours, theirs)
    assert float(ours.abs().max()) > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_forces_and_virials_are_those_of_torch(dtype):
    graph, _ = long_list(n_center=25, dtype=dtype)
    gradient = torch.randn_like(graph.vectors)
    ours, reference = (forces_and_virials(gradient, graph, native) for native in (True, False))
    assert ours[0].dtype == ours[1].dtype == torch.float64
    assert float(ours[0][25:].abs().max()) > 0
    for a, b in zip(ours, reference, strict=True):
        assert torch.allclose(a, b, rtol=1e-12, atol=1e-12)


def test_forces_without_edges():
    empty = torch.zeros(0, dtype=torch.int64)
    for n in (0, 2):
        first = torch.zeros(n + 1, dtype=torch.int64)
        forces, virials = kernels.forces_and_virials(torch.zeros(0, 3), torch.zeros(0, 3), first,
                                                     sorted_edges(empty, n))
        assert forces.shape == (n, 3)
        assert not forces.any()
        assert not virials.any()


def test_the_number_of_threads_changes_no_bit(threads):
    positions, cell = system(4, n=200, size=9.0)
    top = topology(positions, cell)
    packed = pair_list.pack(top.first, top.neighbor, top.shift)
    results = []
    for count in (1, 2, 3):
        threads(count)
        lists = pairs.build_pairs(positions, cell, CUTOFF)
        edges = pair_list.close_pairs(packed, torch.tensor(positions), torch.tensor(cell),
                                      CUTOFF, torch.float32)
        vectors, _, neighbor, first = edges
        gradient = torch.sin(vectors)
        results.append([*map(torch.from_numpy, lists), *edges,
                        *short_edges(vectors, neighbor, first, 2.0, 1e-5),
                        *kernels.forces_and_virials(gradient, vectors, first,
                                                    sorted_edges(neighbor, 200))])
    for result in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(result, results[0], strict=True))


class Waves(Model):
    """A pair potential that does not know where its edges come from."""

    cutoff = CUTOFF
    elements = (1,)

    def forward(self, graph):
        d = graph.distances
        return graph.sum_neighbors(torch.sin(3 * d) * (1 - d / self.cutoff) ** 3)


@pytest.mark.parametrize("n_center", [None, 25])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_models_give_the_same_by_both_paths(dtype, n_center):
    positions, cell = system(2)
    results = []
    for native in (True, False):
        model = Waves().to(dtype)
        model.native = native
        top = topology(positions, cell, n_center)
        results.append(evaluate_topology(model, top, torch.tensor(positions), torch.tensor(cell)))
    limit = 1e-12 if dtype == torch.float64 else 1e-5
    for name in ("energy", "atom_energies", "forces", "virial"):
        ours, reference = (getattr(result, name) for result in results)
        assert ours.shape == reference.shape
        assert ours.dtype == reference.dtype
        assert float((ours - reference).abs().max()) < limit * float(reference.abs().max())


def test_which_path_is_taken(monkeypatch):
    positions, cell = system(2)
    calls = []
    for name in ("close_pairs", "sorted_edges"):
        plain = getattr(pair_list if name == "close_pairs" else kernels, name)
        monkeypatch.setattr(f"pyfennix.models.graph.{name}",
                            lambda *inputs, plain=plain: calls.append(1) or plain(*inputs))
    for dtype, native, expected in ((torch.float32, True, 2), (torch.float64, True, 2),
                                    (torch.float32, False, 0), (torch.float64, False, 0)):
        model = Waves().to(dtype)
        model.native = native
        calls.clear()
        evaluate_topology(model, topology(positions, cell), torch.tensor(positions),
                          torch.tensor(cell))
        assert len(calls) == expected
    calls.clear()
    monkeypatch.setenv("PYFENNIX_NATIVE", "0")
    evaluate_topology(Waves(), topology(positions, cell), torch.tensor(positions),
                      torch.tensor(cell))
    assert not calls


@pytest.mark.parametrize("native", [True, False])
def test_a_lost_atom_is_an_error(native):
    """It must not become an atom without neighbours, with forces that look fine."""
    positions, cell = system(2)
    top = topology(positions, cell)
    positions[3, 1] = np.nan
    model = Waves()
    model.native = native
    with pytest.raises(ModelError, match="not finite"):
        evaluate_topology(model, top, torch.tensor(positions), torch.tensor(cell))
