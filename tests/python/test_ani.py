# SPDX-License-Identifier: MIT
"""The ANI family against FeNNol's numbers and a plain implementation; what it refuses."""

import numpy as np
import pytest
import torch
from helpers.ani import ANI2X, ODD, ORDER, SEVEN, ani_config, ani_model, molecule
from helpers.oracles import cases
from helpers.shared import shared

from pyfennix.exceptions import ModelError
from pyfennix.models.ani import aev as aev_module
from pyfennix.models.evaluate import evaluate, evaluate_topology
from pyfennix.models.fnx.activations import activation
from pyfennix.models.fnx.checkpoint import load_fnx, save_fnx
from pyfennix.models.graph import Topology
from pyfennix.models.interface import SYMBOLS
from pyfennix.models.pairs import build_pairs
from pyfennix.models.registry import load_model
from pyfennix.units import EV_IN_KCAL, HARTREE_IN_KCAL

ORACLES = ("ani1x_model0", "ani1x_ens2")
SYSTEMS = ("acetate", "ammonium", "batch3", "benzene", "close_contact", "cluster50", "ethanol",
           "triclinic102", "triclinic24", "water", "water_box198", "watersmall", "watertiny")
HARTREE_IN_EV = HARTREE_IN_KCAL / EV_IN_KCAL


@pytest.fixture(scope="module")
def oracle():
    """FeNNol's ANI files, by name and dtype."""
    loaded = {}

    def load(name, dtype):
        path = shared("reference", "models", f"{name}.fnx")
        if (name, dtype) not in loaded:
            loaded[name, dtype] = load_model(str(path), dtype)
        return loaded[name, dtype]

    return load


def deviations(model, case, precision="f64", result=None):
    """|dE| per atom, max |dF| and max |dV| from FeNNol's float64 numbers; eV and Å."""
    if result is None:
        result = evaluate(model, *case.system[:3])
        e, f, v = result.energy, result.forces, result.virial
        ours = e / HARTREE_IN_KCAL, f / HARTREE_IN_KCAL, v / HARTREE_IN_KCAL
    else:
        ours = result
    n = len(case.system[0])
    wanted = case.total("total_energy"), case.atoms("forces"), case.total("virial_tensor")
    scale = (HARTREE_IN_EV / n, HARTREE_IN_EV, HARTREE_IN_EV)
    return [s * float(np.abs(a - b).max()) for s, a, b in zip(scale, ours, wanted, strict=True)]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", ORACLES)
def test_energies_forces_and_virials_are_fennols(oracle, name, system, native):
    model = oracle(name, "float64")
    model.native = native
    for case in cases(name, system):
        energy, force, virial = deviations(model, case)
        assert energy < 1e-10
        assert force < 1e-9
        assert virial < 1e-8


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("name", ORACLES)
def test_single_precision_loses_no_more_than_fennols(oracle, name, native):
    """Per system three times FeNNol's own error, or the float32 resolution of forces there."""
    model = oracle(name, "float32")
    model.native = native
    for system in SYSTEMS:
        for case in cases(name, system):
            theirs = deviations(model, case, result=[
                case.total("total_energy", "f32"), case.atoms("forces", "f32"),
                case.total("virial_tensor", "f32")])
            energy, force, virial = deviations(model, case)
            resolution = 5e-7 * np.abs(case.atoms("forces")).max() * HARTREE_IN_EV
            # self energies of -75 Ha per atom are summed in float64
            assert energy < max(0.5 * theirs[0], 5e-7)
            assert force < 3.0 * max(theirs[1], resolution)
            assert virial < 3.0 * max(theirs[2], resolution)


@pytest.mark.parametrize("system", ["acetate", "triclinic24"])
@pytest.mark.parametrize("native", [False, True])
def test_environment_vectors_are_fennols(oracle, system, native):
    model = oracle("ani1x_ens2", "float64")
    model.native = native
    (case,) = cases("ani1x_ens2", system)
    numbers, positions, cell, _ = case.system
    _, outputs = model.forward_outputs(graph_of(model, numbers, positions, cell),
                                       ["ani_aev", "energy_ensemble"])
    assert np.abs(outputs["ani_aev"].detach().numpy() - case.data["dbg64.ani_aev"]).max() < 1e-12
    members = outputs["energy_ensemble"].detach().numpy()
    assert np.abs(members - case.atoms("energy_ensemble")).max() < 1e-12


def topology_of(numbers, positions, cell, cutoff):
    n = len(numbers)
    return Topology.from_csr(numbers, *build_pairs(positions, cell, cutoff), n, n, n)


def graph_of(model, numbers, positions, cell=None):
    topology = topology_of(numbers, positions, cell, model.cutoff)
    cell = None if cell is None else torch.tensor(cell)
    return topology.graph(torch.tensor(positions), cell, model.cutoff, torch.float64)


def plain_vectors(config, numbers, positions, order):
    """The definition in loops over atoms, with the angle itself; an isolated molecule."""
    rows = [order.index(SYMBOLS[z]) for z in numbers]
    n_species, n = len(order), len(numbers)
    out = np.zeros((n, config.width))
    radial = out[:, : config.radial_width].reshape(n, n_species, -1)
    angular = out[:, config.radial_width :].reshape(
        n, -1, len(config.angular_shifts), len(config.angle_shifts))
    pairs = [(a, b) for a in range(n_species) for b in range(a, n_species)]

    def switch(d, cutoff):
        return 0.5 + 0.5 * np.cos(np.pi * d / cutoff) if d < cutoff else 0.0

    for i in range(n):
        v = positions - positions[i]
        d = np.linalg.norm(v, axis=1)
        others = [j for j in range(n) if j != i]
        for j in others:
            radial[i, rows[j]] += 0.25 * switch(d[j], config.radial_cutoff) * np.exp(
                -config.radial_eta * (d[j] - config.radial_shifts) ** 2)
        for j in others:
            for k in others:
                if k <= j:
                    continue
                theta = np.arccos(0.95 * (v[j] @ v[k]) / (d[j] * d[k]))
                section = (1 + np.cos(theta - config.angle_shifts)) ** config.zeta
                shell = np.exp(-config.angular_eta
                               * (0.5 * (d[j] + d[k]) - config.angular_shifts) ** 2)
                weight = 2 ** (1 - config.zeta)
                for neighbor in (j, k):
                    weight *= switch(d[neighbor], config.angular_cutoff)
                pair = pairs.index(tuple(sorted((rows[j], rows[k]))))
                angular[i, pair] += weight * np.outer(shell, section)
    return out


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(("order", "aev"), [(ORDER, None), (SEVEN, ANI2X), (("O", "Cl", "H"), ODD)])
def test_environment_vectors_follow_their_definition(order, aev, native):
    model = ani_model(order=order, aev=aev, native=native)
    numbers, positions = molecule(17, order)
    _, outputs = model.forward_outputs(graph_of(model, numbers, positions), ["ani_aev"])
    ours = outputs["ani_aev"].detach().numpy()
    plain = plain_vectors(model.parts["embedding"].config, numbers, positions, list(order))
    assert np.abs(plain).max() > 1.0
    assert ours == pytest.approx(plain, abs=1e-12)


def test_what_the_model_declares():
    config = ani_config(order=SEVEN, aev=ANI2X, cutoffs=(5.1, 3.5))
    model = ani_model(config)
    assert (model.cutoff, model.halo, model.center_halo) == (5.1, 5.1, 0.0)
    assert model.elements == (1, 6, 7, 8, 9, 16, 17)
    assert model.energy_unit == "Ha"
    assert not model.uses_total_charge
    assert not model.exchanges_features


def test_other_elements_are_refused():
    model = ani_model()
    with pytest.raises(ModelError, match=r"element Fe: it supports H, C, N, O"):
        evaluate(model, [8, 26], [[0.0, 0, 0], [2.0, 0, 0]])
    # also by whoever does not ask first
    topology = topology_of(np.array([8, 9]), np.array([[0.0, 0, 0], [1.0, 0, 0]]), None, 5.2)
    with pytest.raises(ModelError, match=r"element F has no network: it exists for H, C, N, O"):
        evaluate_topology(model, topology, torch.tensor([[0.0, 0, 0], [1.0, 0, 0]]).double(), None)


def changed(module: int, **settings) -> dict:
    config = ani_config()
    config["modules"][module][1].update(settings)
    return config


@pytest.mark.parametrize(("config", "words"), [
    (changed(1, activation="wobble"), "'wobble' is not supported.*celu"),
    (changed(1, activation="partial(celu, beta=0.1)"), "beta.*is not supported"),
    (changed(1, hidden_neurons=[8, 8]), "names no elements"),
    (changed(1, species_order=["H", "S"]), "lacks an element"),
    (changed(1, input_key="other"), "'other', which no module"),
    (changed(0, species_order=["H", "Xx"]), "'Xx' is no chemical symbol"),
    (changed(0, species_order=["H", "C", "H"]), "appears twice"),
    (changed(0, graph_angle_key="graph_far"), "no graph 'graph_far'"),
    (changed(0, zeta=-1.0), "zeta = -1.0 is not a positive number"),
    (changed(0, angle_sections=2.5), "angle_sections = 2.5 is not a whole number"),
    (changed(0, wavelets=True), "'wavelets' is not supported"),
    (changed(2, value="kcal"), "neither a number nor a map"),
])
def test_unusable_settings_are_refused(config, words):
    with pytest.raises(ModelError, match=words):
        ani_model(config)


@pytest.mark.parametrize("members", [1, 3])
def test_saved_models_load_as_they_were(tmp_path, members):
    path = tmp_path / "ani.fnx"
    model = ani_model(order=SEVEN, aev=ANI2X, members=members)
    save_fnx(path, model.float())
    again, numbers, positions = load_fnx(path), *molecule(21, SEVEN)
    assert again.elements == model.elements
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, dict(again.named_parameters())[name])
    first, second = (evaluate(m.double(), numbers, positions) for m in (model, again))
    assert second.energy == first.energy
    assert np.array_equal(second.forces, first.forces)


def test_an_ensemble_is_the_mean_of_its_members():
    model = ani_model(members=3)
    numbers, positions = molecule(9)
    whole = evaluate(model, numbers, positions)
    with torch.no_grad():
        for k in (1, 2):
            for mine, first in zip(model.parts[f"energy{k}"].parameters(),
                                   model.parts["energy0"].parameters(), strict=True):
                mine.copy_(first)
    equal = evaluate(model, numbers, positions)
    one = ani_model(members=1)
    weights = model.parts["energy0"].state_dict()
    one.parts["energy"].load_state_dict(weights)
    assert equal.energy == pytest.approx(evaluate(one, numbers, positions).energy, rel=1e-14)
    assert abs(whole.energy - equal.energy) > 1e-3


def force_loss(model, numbers, positions):
    graph = graph_of(model, numbers, positions)
    (gradient,) = torch.autograd.grad(model(graph).sum(), graph.vectors, create_graph=True)
    return gradient.square().sum()


def test_forces_can_be_trained_in_blocks_or_at_once(monkeypatch):
    model = ani_model().requires_grad_(True)
    numbers, positions = molecule(12)
    whole = torch.autograd.grad(force_loss(model, numbers, positions),
                                model.parts["energy"].parameters(), allow_unused=True)
    monkeypatch.setattr(aev_module, "_BLOCK", 60)
    assert len(list(aev_module._blocks(graph_of(model, numbers, positions).first))) > 4
    parts = torch.autograd.grad(force_loss(model, numbers, positions),
                                model.parts["energy"].parameters(), allow_unused=True)
    assert max(float(g.abs().max()) for g in whole if g is not None) > 1e-6
    for a, b in zip(whole, parts, strict=True):
        assert (a is None) == (b is None)
        assert a is None or torch.allclose(a, b, rtol=1e-9, atol=1e-14)


def test_activations_are_what_their_names_say():
    x = torch.linspace(-4.0, 4.0, 41, dtype=torch.float64, requires_grad=True)
    softplus = torch.log1p(torch.exp(x))
    tanh = 0.5 * x * (1 + torch.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))
    celu = torch.where(x > 0, x, 0.1 * torch.expm1(x / 0.1))
    expected = {"swish": x * torch.sigmoid(x), "nn.silu": x * torch.sigmoid(x), "gelu": tanh,
                "partial(celu, alpha=0.1)": celu, "ssp": softplus - np.log(2.0), "linear": x,
                "softplus": softplus, "mish": x * torch.tanh(softplus), "square": x**2,
                "aptx": (1 + torch.tanh(x)) * x, "partial(leaky_relu, negative_slope=0.2)":
                torch.where(x > 0, x, 0.2 * x)}
    for text, values in expected.items():
        ours = activation(text)(x)
        assert torch.allclose(ours, values, rtol=1e-14, atol=1e-15)
        slopes = [torch.autograd.grad(y.sum(), x, retain_graph=True)[0] for y in (ours, values)]
        # float64 throughout: torch's own celu rounds its slope to float32
        assert torch.allclose(*slopes, rtol=1e-13, atol=1e-14)
    for text in ("wobble", "celu(alpha=0.1)", "partial(celu, alpha='a')", "__import__('os')", ""):
        with pytest.raises(ModelError, match="activation"):
            activation(text)
