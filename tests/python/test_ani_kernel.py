# SPDX-License-Identifier: MIT
"""ANI's compiled kernel against the torch operations it stands for."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.ani import ORDER, ani_config, ani_model, molecule

from pyfennix.exceptions import ModelError
from pyfennix.models.ani import kernel
from pyfennix.models.ani.aev import AevConfig, environment_vectors
from pyfennix.models.evaluate import evaluate
from pyfennix.models.fnx.edges import Edges, filter_edges

CONFIGS = {
    "1x": AevConfig(4, 5.2, 3.5, 16.0, 8.0, 32.0, 0.9, 0.9, 16, 4, 8),
    "2x": AevConfig(7, 5.1, 3.5, 19.7, 12.5, 14.1, 0.8, 0.8, 16, 8, 4),
    "odd": AevConfig(3, 4.0, 4.0, 3.0, 2.0, 8.0, 0.5, 0.7, 5, 3, 5),
    "flat": AevConfig(1, 5.0, 2.5, 40.0, 30.0, 1.0, 0.3, 0.3, 33, 1, 1),
    "steep": AevConfig(2, 6.0, 5.0, 100.0, 60.0, 64.0, 0.8, 0.8, 17, 17, 3),
}
DEGREES = {"some": [0, 3, 17, 40, 1, 2, 60], "none": [0, 0, 0], "nobody": [],
           # more angles per pair of elements than the kernel takes at once
           "crowd": [300, 0, 120]}


def make_edges(config, degrees, dtype=torch.float64, lengths=None, seed=1) -> Edges:
    """Random pairs, ghosts among the neighbours; some of them beyond the cutoff."""
    rng = np.random.default_rng(seed)
    n_edges = int(np.sum(degrees))
    vectors = rng.normal(size=(n_edges, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    if lengths is None:
        lengths = 0.3 + 1.05 * config.radial_cutoff * rng.uniform(size=n_edges) ** (1 / 3)
    vectors = torch.tensor(vectors * np.reshape(lengths, (-1, 1))).reshape(-1, 3).to(dtype)
    first = torch.tensor(np.concatenate([[0], np.cumsum(degrees)]), dtype=torch.int64)
    return Edges(
        vectors=vectors.requires_grad_(True),
        receiver=torch.repeat_interleave(torch.arange(len(degrees)), first.diff()),
        neighbor=torch.tensor(rng.integers(0, len(degrees) + 20, n_edges)),
        order=torch.arange(n_edges),
        first=first,
    )


def species_of(config, edges, seed=2):
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.integers(0, config.n_species, len(edges.first) + 30))


def eager(config, species, edges):
    near = filter_edges(edges, config.radial_cutoff)
    close = filter_edges(edges, config.angular_cutoff)
    near.switch_settings = (config.radial_cutoff, "cosine", 1.0, True)
    close.switch_settings = (config.angular_cutoff, "cosine", 1.0, True)
    return environment_vectors(config, species, near, close)


def both(config, edges):
    """Vectors and their gradient for random weights, by the kernel and by torch."""
    species, results = species_of(config, edges), []
    for function in (kernel.environment_vectors, eager):
        out = function(config, species, edges)
        torch.manual_seed(3)
        probe = torch.randn(out.shape, dtype=torch.float64).to(out.dtype)
        (gradient,) = torch.autograd.grad((out * probe).sum(), edges.vectors)
        results.append((out.detach(), gradient))
    return results


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("config", CONFIGS)
def test_kernel_is_the_torch_function(config, degrees):
    config = CONFIGS[config]
    (out, gradient), (plain, slope) = both(config, make_edges(config, DEGREES[degrees]))
    assert out.shape == (len(DEGREES[degrees]), config.width)
    for ours, theirs in ((out, plain), (gradient, slope)):
        scale = float(theirs.abs().max()) if theirs.numel() else 0.0
        assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-13 * scale)
        assert (degrees in ("none", "nobody")) == (scale == 0.0)


@pytest.mark.parametrize("config", CONFIGS)
def test_single_precision_is_rounding_away(config):
    config = CONFIGS[config]
    double = make_edges(config, DEGREES["some"])
    single = make_edges(config, DEGREES["some"], torch.float32)
    # from the same numbers
    double.vectors = single.vectors.detach().double().requires_grad_(True)
    for ours, exact in zip(both(config, single)[0], both(config, double)[1], strict=True):
        error = (ours.double() - exact).abs().max() / exact.abs().max()
        # exponents of about ten, and a base before its power, are rounded
        assert float(error) < 1e-6 + 4e-7 * config.zeta


@pytest.mark.parametrize("config", ["1x", "2x"])
def test_gradient_is_the_derivative(config):
    config = CONFIGS[config]
    edges = make_edges(config, [4, 1, 6], lengths=np.linspace(0.9, 4.8, 11))
    species = species_of(config, edges)

    def vectors(v):
        graph = SimpleNamespace(vectors=v, first=edges.first, neighbor=edges.neighbor)
        return kernel.environment_vectors(config, species, graph)

    assert torch.autograd.gradcheck(vectors, (edges.vectors,), eps=1e-5, atol=1e-6)


@pytest.mark.parametrize("lengths", [0.0, 1e-3, 3.1e-3, 0.05])
def test_contacts_are_finite_and_alike(lengths):
    config = CONFIGS["1x"]
    edges = make_edges(config, [3, 2], lengths=np.array([lengths, 1.0, 2.0, lengths, lengths]))
    (out, gradient), (plain, slope) = both(config, edges)
    assert torch.isfinite(gradient).all()
    assert torch.allclose(out, plain, rtol=1e-10, atol=1e-14)
    assert torch.allclose(gradient, slope, rtol=1e-10, atol=1e-10)


def test_collinear_neighbours_are_alike():
    config = CONFIGS["2x"]
    edges = make_edges(config, [4])
    line = torch.tensor([[1.0, 0, 0], [-1.0, 0, 0], [2.0, 0, 0], [-3.0, 0, 0]])
    edges.vectors = line.double().requires_grad_(True)
    (out, gradient), (plain, slope) = both(config, edges)
    assert torch.allclose(out, plain, rtol=1e-10, atol=1e-14)
    assert torch.allclose(gradient, slope, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("config", ["1x", "2x"])
def test_what_is_no_number_stays_visible(config):
    config = CONFIGS[config]
    edges = make_edges(config, [5, 5])
    with torch.no_grad():
        edges.vectors[7, 1] = float("nan")
    out, gradient = both(config, edges)[0]
    assert torch.isfinite(out[0]).all()
    assert torch.isfinite(gradient[:5]).all()
    assert not torch.isfinite(out[1]).all()
    assert not torch.isfinite(gradient[5:]).all()


def test_threads_do_not_change_a_bit():
    config, threads = CONFIGS["1x"], torch.get_num_threads()
    edges = make_edges(config, [40] * 50, torch.float32)
    results = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            results.append(both(config, edges)[0])
    finally:
        torch.set_num_threads(threads)
    for other in results[1:]:
        for ours, first in zip(other, results[0], strict=True):
            assert torch.equal(ours, first)


def test_second_derivatives_are_refused():
    config = CONFIGS["1x"]
    edges = make_edges(config, [4, 3])
    out = kernel.environment_vectors(config, species_of(config, edges), edges)
    with pytest.raises(ModelError, match="first derivatives only"):
        torch.autograd.grad(out.square().sum(), edges.vectors, create_graph=True)


@pytest.fixture
def calls(monkeypatch):
    """Counts the calls of the kernel."""
    count, call = [], kernel._call
    monkeypatch.setattr(kernel, "_call", lambda *a: (count.append(1), call(*a)))
    return count


@pytest.mark.parametrize(("native", "dtype", "used"), [
    (True, torch.float32, True), (True, torch.float64, True),
    (False, torch.float64, False), (False, torch.float32, False)])
def test_models_take_the_kernel_when_asked(calls, native, dtype, used):
    model = ani_model(native=native).to(dtype)
    evaluate(model, *molecule(6))
    assert (len(calls) == 2) == used


def test_trained_models_take_the_torch_function(calls):
    evaluate(ani_model(native=True).requires_grad_(True), *molecule(6))
    assert not calls


@pytest.mark.parametrize("switch", [{"switch_type": "polynomial"}, {"p": 2.0}])
def test_other_switches_take_the_torch_function(calls, switch):
    config = ani_config(ORDER)
    config["preprocessing"].insert(0, ["graph", {"switch_params": switch}])
    system = molecule(8)
    with_kernel = evaluate(ani_model(config, native=True), *system)
    assert not calls
    assert with_kernel.energy == evaluate(ani_model(config, native=False), *system).energy
