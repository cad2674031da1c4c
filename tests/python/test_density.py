# SPDX-License-Identifier: MIT
"""Models of the atomic density: kernels against torch operations, derivatives, files."""

import numpy as np
import pytest
import torch
from helpers.waters import cubic, waters
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfennix.exceptions import ModelError
from pyfennix.models.batch import evaluate_batch
from pyfennix.models.evaluate import evaluate
from pyfennix.models.fnx.checkpoint import load_fnx, save_fnx
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.graph import Topology
from pyfennix.models.pairs import build_pairs
from pyfennix.models.validate import validate_model


def density_model(seed=0, **changes):
    """A model with random weights, float64."""
    settings = {"elements": [1, 8], "channels": [6, 5, 4, 3], "neurons": [16, 16]} | changes
    config = {
        "cutoff": 3.5,
        "preprocessing": [["graph", {"switch_params": {"switch_type": "polynomial", "p": 6.0}}]],
        "modules": [["energies", {"module_name": "pyfennix_density"} | settings],
                    ["repulsion", {"module_name": "pyfennix_zbl", "graph_key": "graph"}]],
        "energy_terms": ["energies", "repulsion"], "energy_unit": "eV",
    }
    torch.manual_seed(seed)
    model = FennixModel(config).requires_grad_(False)
    for parameter in model.parameters():
        parameter.add_(0.2 * torch.randn_like(parameter))
    return model.double()


def both(model, *system):
    """The same evaluation by kernels and by torch operations."""
    model.native = True
    fast = evaluate(model, *system)
    model.native = False
    return fast, evaluate(model, *system)


SHAPES = [
    {}, {"channels": [3]}, {"channels": [5, 4]}, {"channels": [9, 8, 13], "neurons": [7]},
    {"radial": 3, "power": 2, "neurons": [24, 9, 5, 3]}, {"radial": 17, "power": 7},
    {"elements": [8, 6, 1]},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_kernels_give_the_numbers_of_torch(shape):
    model = density_model(**shape)
    numbers, positions = waters(cubic(27), (3, 3, 3), 1)
    for cell in (cubic(27), None):
        fast, slow = both(model, numbers, positions, cell)
        assert fast.energy == pytest.approx(slow.energy, rel=1e-12)
        assert np.abs(fast.forces - slow.forces).max() < 1e-10 * np.abs(slow.forces).max()
        assert np.abs(fast.virial - slow.virial).max() < 1e-10 * np.abs(slow.virial).max()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 40))
def test_any_atoms_anywhere(seed, n):
    rng = np.random.default_rng(seed)
    numbers = rng.choice([1, 8], n)
    positions = rng.uniform(0, 4.0, (n, 3))
    cell = np.diag(rng.uniform(2.0, 6.0, 3)) + rng.uniform(-0.5, 0.5, (3, 3))
    model = density_model(seed % 5)
    for box in (cell, None):
        fast, slow = both(model, numbers, positions, box)
        scale = np.abs(slow.forces).max(initial=1.0)
        assert fast.energy == pytest.approx(slow.energy, rel=1e-9, abs=1e-9)
        assert np.abs(fast.forces - slow.forces).max(initial=0.0) < 1e-9 * scale


def test_the_contract_of_models_is_kept():
    model = density_model()
    model.native = True
    report = validate_model(model)
    assert report.passed, str(report)


def test_float32_is_close():
    numbers, positions = waters(cubic(27), (3, 3, 3), 1)
    model = density_model()
    exact = evaluate(model, numbers, positions, cubic(27))
    near = evaluate(model.float(), numbers, positions, cubic(27))
    assert np.abs(near.forces - exact.forces).max() < 1e-5 * np.abs(exact.forces).max()


def test_batches_are_their_systems():
    model = density_model()
    systems = [waters(cubic(8), (2, 2, 2), seed) for seed in range(3)]
    together = evaluate_batch(model, [(n, p, cubic(8)) for n, p in systems])
    for (numbers, positions), one in zip(systems, together, strict=True):
        alone = evaluate(model, numbers, positions, cubic(8))
        assert one.energy == pytest.approx(alone.energy, rel=1e-12)
        assert np.abs(one.forces - alone.forces).max() < 1e-9


def force_loss_gradient(model, kernels):
    """Gradient by all parameters of a sum of squared forces."""
    numbers, positions = waters(cubic(8), (2, 2, 2), 3)
    cell, n = cubic(8), len(numbers)
    topology = Topology.from_csr(numbers, *build_pairs(positions, cell, 3.5), n, n, n)
    model.parts["energies"].training_kernels = kernels
    model.requires_grad_(True)
    graph = topology.graph(torch.tensor(positions), torch.tensor(cell), 3.5, torch.float64)
    (pull,) = torch.autograd.grad(model(graph).sum(), graph.vectors, create_graph=True)
    weights = torch.linspace(0.5, 2.0, pull.numel(), dtype=pull.dtype).view_as(pull)
    found = torch.autograd.grad((weights * pull**2).sum(), list(model.parameters()),
                                allow_unused=True)
    return [torch.zeros(()) if g is None else g for g in found]


@pytest.mark.parametrize("shape", SHAPES)
def test_training_kernels_differentiate_forces_by_parameters(shape):
    model = density_model(**shape)
    for slow, fast in zip(force_loss_gradient(model, False), force_loss_gradient(model, True),
                          strict=True):
        assert torch.allclose(slow, fast, rtol=1e-9, atol=1e-10 * float(slow.abs().max()))


def test_a_file_keeps_the_model(tmp_path):
    model = density_model().float()
    save_fnx(tmp_path / "density.fnx", model)
    again = load_fnx(tmp_path / "density.fnx")
    numbers, positions = waters(cubic(8), (2, 2, 2), 3)
    first, second = (evaluate(m, numbers, positions, cubic(8)) for m in (model, again))
    assert first.energy == second.energy
    assert (first.forces == second.forces).all()


@pytest.mark.parametrize(("changes", "words"), [
    ({"channels": [1, 2, 3, 4, 5]}, "one to four"),
    ({"elements": [1, 1]}, "twice"),
    ({"radial": 33}, "radial"),
    ({"neurons": []}, "neurons"),
    ({"color": 3}, "color"),
])
def test_settings_are_checked(changes, words):
    with pytest.raises(ModelError, match=words):
        density_model(**changes)
