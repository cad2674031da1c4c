# SPDX-License-Identifier: MIT
"""The compiled kernel of the screened repulsion against the torch operations it stands for."""

import numpy as np
import pytest
import torch

from pyfennix.models.fnx.edges import Edges
from pyfennix.models.fnx.nlh import LAST, published
from pyfennix.models.fnx.repulsion import RepulsionNLH, RepulsionZBL

CUTOFF = 3.5
NUMBERS = [1, 8, 17]
PAIRS = [[a for a in range(3) for _ in range(3)], list(range(3)) * 3]
SWITCHES = [("polynomial", 3.0), ("polynomial", torch.tensor(7.9)), ("cosine", 1.0),
            ("cosine", torch.tensor(2.3)), ("hard", 1.0)]


def settings(switch, exact: bool, dtype) -> tuple:
    """Of an edge list; a trained exponent has the model's dtype."""
    kind, p = switch
    return CUTOFF, kind, p.to(dtype) if isinstance(p, torch.Tensor) else p, exact


def repulsions():
    """Each kind of repulsion, with walls and without."""
    ranges = [[1, 8, 1.2], [8, 8, 2.3], [1, 1, 3.5]]
    amplitude, rate = published()
    return {"zbl": RepulsionZBL(), "walls": RepulsionZBL(ranges, 5.5),
            "nlh": RepulsionNLH(list(range(LAST + 1)), amplitude, rate)}


def make_edges(counts, n_total: int, dtype, lengths=None) -> Edges:
    rng = np.random.default_rng(4)
    n_edges = int(np.sum(counts))
    vectors = rng.normal(size=(n_edges, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths = rng.uniform(0.4, CUTOFF, n_edges) if lengths is None else lengths
    vectors = torch.tensor(vectors * np.reshape(lengths, (-1, 1)), dtype=dtype).reshape(-1, 3)
    first = torch.tensor(np.concatenate([[0], np.cumsum(counts)]), dtype=torch.int64)
    kind = torch.tensor(rng.integers(0, 3, n_total))
    return Edges(
        vectors=vectors.requires_grad_(True),
        receiver=torch.repeat_interleave(torch.arange(len(counts)), first.diff()),
        neighbor=torch.tensor(rng.integers(0, max(n_total, 1), n_edges)),
        order=torch.arange(n_edges), first=first, pair_rows=(3 * kind, kind, 9),
    )


def both(module, edges, dtype):
    """Energies and gradients, by the kernel and by torch, with a factor per receiver."""
    table = module.table(NUMBERS, PAIRS, torch.zeros(1, dtype=dtype))
    factor = 1.0 + torch.arange(len(edges.first) - 1, dtype=dtype)
    for native in (True, False):
        edges.native, edges.made_distances, edges.made_switch = native, None, None
        energies = module(table, edges)
        gradient = torch.autograd.grad((energies * factor).sum(), edges.vectors)[0]
        yield energies.detach(), gradient


def largest(x) -> float:
    return float(x.abs().max()) if x.numel() else 0.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("name", ["zbl", "walls", "nlh"])
def test_the_kernel_is_the_torch_operations(name, switch, exact, dtype):
    edges = make_edges([40, 0, 1, 17], 7, dtype)
    edges.switch_settings = settings(switch, exact, dtype)
    limit = 1e-12 if dtype == torch.float64 else 3e-5
    results = list(both(repulsions()[name], edges, dtype))
    for ours, reference in zip(*results, strict=True):
        assert ours.dtype == dtype
        assert largest(ours - reference) <= limit * largest(reference)


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("name", ["zbl", "walls", "nlh"])
def test_each_distance_by_itself(name, switch):
    """On one place, at contact, at the end of a wall, near and at the cutoff."""
    for length in (0.0, 1e-3, 0.01, 0.3, 1.2, 2.3, 2.3 - 1e-9, 3.4999, CUTOFF):
        edges = make_edges([1], 2, torch.float64, [length])
        edges.switch_settings = settings(switch, False, torch.float64)
        kernel, eager = both(repulsions()[name], edges, torch.float64)
        for ours, reference in zip(kernel, eager, strict=True):
            assert largest(ours - reference) <= 1e-10 * largest(reference) + 1e-13


@pytest.mark.parametrize("name", ["zbl", "walls", "nlh"])
def test_the_gradient_is_a_finite_difference(name):
    module = repulsions()[name]
    edges = make_edges([5, 12], 4, torch.float64)
    edges.switch_settings = (CUTOFF, "polynomial", 3.0, True)
    edges.native = True
    table = module.table(NUMBERS, PAIRS, torch.zeros(1, dtype=torch.float64))

    def energies(vectors):
        edges.vectors = vectors
        return module(table, edges)

    vectors = edges.vectors.detach().requires_grad_(True)
    assert torch.autograd.gradcheck(energies, vectors, eps=1e-6, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("counts", "n_total"), [([], 0), ([0, 0], 3), ([1], 1)])
def test_next_to_nothing(counts, n_total):
    edges = make_edges(counts, n_total, torch.float64)
    for ours, reference in zip(*both(repulsions()["nlh"], edges, torch.float64), strict=True):
        assert ours.shape == reference.shape
        assert largest(ours - reference) <= 1e-12 * largest(reference)


def test_the_number_of_threads_changes_no_bit():
    edges = make_edges(np.random.default_rng(7).integers(0, 30, 60), 70, torch.float32)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(next(both(repulsions()["nlh"], edges, torch.float32)))
    finally:
        torch.set_num_threads(before)
    for result in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(result, results[0], strict=True))


def test_not_a_number_is_passed_on():
    edges = make_edges([5, 3], 4, torch.float32)
    edges.switch_settings = (CUTOFF, "polynomial", 3.0, True)
    with torch.no_grad():
        edges.vectors[2, 1] = torch.nan
    for name in ("zbl", "nlh"):
        energies, _ = next(both(repulsions()[name], edges, torch.float32))
        assert bool(energies[0].isnan())
        assert bool(energies[1].isfinite())
