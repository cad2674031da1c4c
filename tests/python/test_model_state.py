# SPDX-License-Identifier: MIT
"""What a model keeps between evaluations follows what is done to the model."""

import copy

import numpy as np
import pytest
import torch
from helpers.waters import cubic, waters

from pyfennix import Model, evaluate, evaluate_batch, load_model
from pyfennix.exceptions import InputError, ModelError
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.graph import Topology
from pyfennix.models.pairs import build_pairs


@pytest.fixture(params=[True, False], ids=["kernels", "torch"])
def model(request):
    model = load_model("water-accurate", dtype="float64")
    model.native = request.param
    return model


@pytest.fixture
def box():
    cell = cubic(8)
    return *waters(cell, (2, 2, 2), seed=3), cell


def energy(model, box):
    return evaluate(model, *box).energy


class Hook(torch.nn.Module):
    """An exchange that changes nothing, but is not the identity by name."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.calls, self.factor = 0, factor

    def forward(self, features):
        self.calls += 1
        return features * self.factor


def test_an_exchange_is_called_and_changes_nothing(model, box):
    plain = evaluate(model, *box)
    hook = model.exchange = Hook()
    hooked = evaluate(model, *box)
    assert hook.calls == 1
    assert hooked.energy == pytest.approx(plain.energy, abs=1e-9)
    np.testing.assert_allclose(hooked.forces, plain.forces, atol=1e-8)
    model.exchange = Hook(0.9)
    assert abs(energy(model, box) - plain.energy) > 1e-3


def change_in_place(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.05)
    return model


def assign(model):
    state = {name: 1.05 * value for name, value in model.state_dict().items()}
    model.load_state_dict(state, assign=True)
    return model.requires_grad_(False)


def replace(model):
    for module in model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None:
                setattr(module, name, torch.nn.Parameter(1.05 * parameter, requires_grad=False))
    return model


@pytest.mark.parametrize("change", [change_in_place, assign, replace])
def test_changed_weights_count_at_once(model, box, change):
    fresh = energy(change(copy.deepcopy(model)), box)
    before = energy(model, box)
    assert energy(change(model), box) == fresh
    assert abs(fresh - before) > 1e-3


def test_replaced_parameters_can_be_trained(model, box):
    before = energy(model, box)
    for module in model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None:
                setattr(module, name, torch.nn.Parameter(parameter.clone()))
    numbers, positions, cell = box
    pairs = build_pairs(positions, cell, model.cutoff)
    n = len(numbers)
    topology = Topology.from_csr(numbers, *pairs, n, n, n)
    graph = topology.graph(torch.tensor(positions), torch.tensor(cell), model.cutoff, model.dtype)
    model(graph).sum().backward()
    assert all(p.grad is not None for p in model.parts["nn_energies"].parameters()
               if p.requires_grad and "H" in model.blocks)
    model.requires_grad_(False)
    assert energy(model, box) == pytest.approx(before, abs=1e-8)


class Sum(Model):
    """Two models on one graph."""

    def __init__(self, *models):
        super().__init__()
        self.models = torch.nn.ModuleList(models)
        self.cutoff = max(m.cutoff for m in models)
        self.energy_unit = models[0].energy_unit

    def forward(self, graph):
        """Energies of both."""
        return sum(m(graph) for m in self.models)


@pytest.mark.parametrize("native", [True, False])
def test_models_may_share_a_graph(box, native):
    one, two = (load_model("water-accurate", dtype="float64") for _ in range(2))
    with torch.no_grad():
        for name, parameter in two.named_parameters():
            if name.endswith("p"):
                parameter.fill_(8.0)
    both = Sum(one, two).double()
    for m in (one, two, both):
        m.native = native
    parts = evaluate(one, *box), evaluate(two, *box)
    assert abs(parts[0].energy - parts[1].energy) > 1e-3
    total = evaluate(both, *box)
    assert total.energy == pytest.approx(parts[0].energy + parts[1].energy, abs=1e-8)
    np.testing.assert_allclose(total.forces, parts[0].forces + parts[1].forces, atol=1e-8)


def test_positions_that_do_not_fit_are_refused(model, box):
    numbers, positions, cell = box
    pairs = build_pairs(positions, cell, model.cutoff)
    n = len(numbers)
    topology = Topology.from_csr(numbers, *pairs, n, n, n)
    right, cell = torch.tensor(positions), torch.tensor(cell)
    for wrong in (right.float(), right[:5], right.long(), right.T.contiguous()):
        with pytest.raises(ModelError, match="expected float64 positions"):
            evaluate_topology(model, topology, wrong, cell)
    with pytest.raises(ModelError, match="expected a float64 cell"):
        evaluate_topology(model, topology, right, cell.float())


@pytest.mark.parametrize(("numbers", "positions", "charge"), [
    (["O", "H", "H"], np.eye(3), 0.0),
    ([8, 1, 1], np.zeros(7), 0.0),
    ([8, 1], np.eye(3), 0.0),
    ([[8, 1, 1]], np.eye(3), 0.0),
    ([8.5, 1.0, 1.0], np.eye(3), 0.0),
    ([8, 1, 1], np.eye(3), "x"),
    ([8, 1, 1], torch.eye(3, requires_grad=True), 0.0),
])
def test_a_users_mistake_is_one_sentence(numbers, positions, charge):
    model = load_model("water-fast")
    with pytest.raises(InputError, match=r"^the system"):
        evaluate(model, numbers, positions, charge=charge)
    with pytest.raises(InputError, match=r"^system 0"):
        evaluate_batch(model, [(numbers, positions, None, charge)])


def test_what_is_no_system_is_refused():
    with pytest.raises(InputError, match="system 1 of the batch"):
        evaluate_batch(load_model("water-fast"), [([8], [[0.0, 0.0, 0.0]]), 5])


def test_one_output_may_be_named_alone(box):
    outputs = evaluate(load_model("water-accurate"), *box, outputs="embedding").outputs
    assert list(outputs) == ["embedding"]


def test_half_precision_is_refused():
    with pytest.raises(ModelError, match="float32 or float64"):
        load_model("water-fast").half()
