# SPDX-License-Identifier: MIT
"""LODE's compiled kernels against the torch operations they stand for."""

import numpy as np
import pytest
import torch

from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.edges import Edges
from pyfennix.models.fnx.layers import Dense
from pyfennix.models.raster import lode_kernel
from pyfennix.models.raster.lode import Lode

CUTOFF, RSHORT, DSHORT = 7.5, 1.75, 1.75
SIZES = [(1, 0, []), (4, 2, [6, 8, 10]), (3, 1, [6]), (2, 3, [4, 6, 7, 10, 12])]


def make_edges(counts, n_total: int, dtype, seed: int = 1, lengths=None) -> Edges:
    """A list with random neighbours and directions, ``counts[i]`` edges of each receiver."""
    rng = np.random.default_rng(seed)
    n_edges = int(np.sum(counts))
    vectors = rng.normal(size=(n_edges, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    if lengths is None:
        lengths = CUTOFF * rng.uniform(size=n_edges) ** (1 / 3)
    vectors = torch.tensor(vectors * np.reshape(lengths, (-1, 1)), dtype=dtype).reshape(-1, 3)
    first = torch.tensor(np.concatenate([[0], np.cumsum(counts)]), dtype=torch.int64)
    vectors.requires_grad_(True)
    return Edges(
        vectors=vectors,
        receiver=torch.repeat_interleave(torch.arange(len(counts)), first.diff()),
        neighbor=torch.tensor(rng.integers(0, max(n_total, 1), n_edges)),
        order=torch.arange(n_edges),
        first=first,
    )


def make_lode(channels: int, lmax: int, extra: list[int]):
    torch.manual_seed(2)
    lode = Lode(channels, lmax, extra, CUTOFF, RSHORT, DSHORT)
    return lode, 0.5 + torch.rand(1, lode.n_values)


def both(lode, a_lr, edges, z):
    """Sums and both gradients, by the kernels and by torch."""
    settings = lode._settings(a_lr, z.dtype)
    edges.made_distances, results = None, []
    for sums in (lode_kernel.lode_sums(edges, z, settings), lode.sums(edges, z, a_lr)):
        torch.manual_seed(3)
        probe = torch.randn(sums.shape, dtype=sums.dtype)
        gradients = torch.autograd.grad((sums * probe).sum(), (edges.vectors, z))
        results.append((sums.detach(), *gradients))
    return results


def largest(x: torch.Tensor) -> float:
    return float(x.detach().abs().max()) if x.numel() else 0.0


def assert_close(results, tolerance: float):
    for ours, reference in zip(*results, strict=True):
        assert ours.shape == reference.shape
        assert largest(ours - reference) <= tolerance * max(largest(reference), 1e-30)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 3e-5)])
@pytest.mark.parametrize("sizes", SIZES)
def test_kernels_are_the_torch_operations(sizes, dtype, tolerance):
    lode, a_lr = make_lode(*sizes)
    # 40 edges of a receiver fill two blocks and a half; ghosts are neighbours but no receivers
    counts, n_total = [40, 0, 1, 16, 17, 200], 9
    edges = make_edges(counts, n_total, dtype)
    z = torch.randn(n_total, sizes[0], lode.n_values, dtype=dtype, requires_grad=True)
    results = both(lode, a_lr, edges, z)
    assert largest(results[1][1]) > 1e-6
    assert_close(results, tolerance)


def test_every_range_of_distance():
    """Clamped, unreached, ramped and plain edges, one by one: each must be right by itself."""
    lode, a_lr = make_lode(4, 2, [6, 8, 10])
    lengths = [0.0, 1e-4, 0.5, RSHORT, RSHORT + 1e-7, 2.5, RSHORT + DSHORT - 1e-7,
               RSHORT + DSHORT, 5.0, 7.4999, CUTOFF]
    for length in lengths:
        edges = make_edges([1, 0], 2, torch.float64, lengths=[length])
        z = torch.randn(2, 4, lode.n_values, dtype=torch.float64, requires_grad=True)
        kernel, eager = both(lode, a_lr, edges, z)
        for ours, reference in zip(kernel, eager, strict=True):
            # near the cutoff whole digits cancel, in both
            assert largest(ours - reference) <= 1e-10 * largest(reference) + 1e-15
        if length in (0.0, 1e-4, 0.5, 2.5, 5.0):
            assert (largest(kernel[0]) > 0) == (length > RSHORT)


def test_a_ramp_that_begins_at_the_nucleus():
    lode, a_lr = make_lode(2, 3, [6])
    lode.rshort = 0.0
    edges = make_edges([3], 2, torch.float64, lengths=[1e-3, 0.01, 1.0])
    z = torch.randn(2, 2, lode.n_values, dtype=torch.float64, requires_grad=True)
    assert_close(both(lode, a_lr, edges, z), 1e-10)


@pytest.mark.parametrize("sizes", SIZES)
def test_gradients_are_finite_differences(sizes):
    lode, a_lr = make_lode(*sizes)
    edges = make_edges([3, 0, 18], 4, torch.float64, seed=5)
    z = torch.randn(4, sizes[0], lode.n_values, dtype=torch.float64, requires_grad=True)
    settings = lode._settings(a_lr, torch.float64)

    def sums(vectors, values):
        edges.vectors = vectors
        return lode_kernel.lode_sums(edges, values, settings)

    vectors = edges.vectors.detach().requires_grad_(True)
    assert torch.autograd.gradcheck(sums, (vectors, z), eps=1e-5, atol=1e-8, rtol=1e-6)


@pytest.mark.parametrize(("counts", "n_total"), [([], 0), ([0], 1), ([0, 0], 5), ([1], 1)])
def test_next_to_nothing(counts, n_total):
    """No atoms, no edges, one atom, and one atom whose only neighbour is its own image."""
    lode, a_lr = make_lode(4, 2, [6, 8, 10])
    edges = make_edges(counts, n_total, torch.float64)
    z = torch.randn(n_total, 4, lode.n_values, dtype=torch.float64, requires_grad=True)
    assert_close(both(lode, a_lr, edges, z), 1e-12)


def test_rows_sorted_by_pair_of_elements():
    lode, a_lr = make_lode(4, 2, [6, 8, 10])
    edges = make_edges([5, 3, 9], 4, torch.float64)
    rows = torch.randperm(17)
    edges.order = torch.argsort(rows)
    for name in ("vectors", "receiver", "neighbor"):
        setattr(edges, name, getattr(edges, name)[rows])
    edges.vectors = edges.vectors.detach().requires_grad_(True)
    edges.pair_counts = [17]
    z = torch.randn(4, 4, lode.n_values, dtype=torch.float64, requires_grad=True)
    assert_close(both(lode, a_lr, edges, z), 1e-12)


def test_the_number_of_threads_changes_no_bit():
    lode, a_lr = make_lode(4, 2, [6, 8, 10])
    edges = make_edges(np.random.default_rng(7).integers(0, 90, 60), 70, torch.float32)
    z = torch.randn(70, 4, lode.n_values, requires_grad=True)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            edges.cache.clear()
            results.append(both(lode, a_lr, edges, z)[0])
    finally:
        torch.set_num_threads(before)
    for result in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(result, results[0], strict=True))


def test_not_a_number_is_passed_on():
    lode, a_lr = make_lode(4, 2, [6, 8, 10])
    edges = make_edges([5, 3], 4, torch.float32)
    with torch.no_grad():
        edges.vectors[2, 1] = torch.nan
    z = torch.randn(4, 4, lode.n_values, requires_grad=True)
    sums, g_vectors, g_z = both(lode, a_lr, edges, z)[0]
    assert sums[0].isnan().all()
    assert sums[1].isfinite().all()
    assert g_vectors[2].isnan().any()
    assert g_z[edges.neighbor[2]].isnan().any()


def test_which_path_is_taken(monkeypatch):
    """``Edges.native`` decides, and sizes beyond the kernels' arrays are left to torch."""
    lode, a_lr = make_lode(4, 2, [6, 8, 10])
    edges = make_edges([5, 3], 2, torch.float32)
    values, x = Dense(7, 24, bias=False).requires_grad_(False), torch.randn(2, 7)
    tensor = torch.randn(2, 4, 16)
    calls, kernel = [], lode_kernel.lode_sums
    monkeypatch.setattr("pyfennix.models.raster.lode.lode_sums",
                        lambda *inputs: calls.append(1) or kernel(*inputs))
    eager = lode(edges, values, a_lr, x, tensor)
    assert not calls
    edges.native = True
    fast = lode(edges, values, a_lr, x, tensor)
    assert calls
    assert largest(fast - eager) < 1e-5 * largest(eager)
    # changed weights are seen
    a_lr += 0.1
    edges.native = False
    eager = lode(edges, values, a_lr, x, tensor)
    edges.native = True
    assert largest(lode(edges, values, a_lr, x, tensor) - eager) < 1e-5 * largest(eager)
    assert not lode_kernel.fits(4, 20, 2)
    assert not lode_kernel.fits(65, 3, 2)


def test_no_second_derivatives():
    lode, a_lr = make_lode(1, 1, [])
    edges = make_edges([4], 2, torch.float64)
    z = torch.randn(2, 1, lode.n_values, dtype=torch.float64, requires_grad=True)
    sums = lode_kernel.lode_sums(edges, z, lode._settings(a_lr, torch.float64))
    with pytest.raises(ModelError, match="first derivatives only"):
        torch.autograd.grad(sums.square().sum(), edges.vectors, create_graph=True)
