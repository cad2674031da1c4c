# SPDX-License-Identifier: MIT
"""The bridge between engine and model: units, views, caches, failures, threads and devices."""

import numpy as np
import pytest
import torch
from helpers.requests import Case, message

import pyfennix
from pyfennix import callback, resources, seam, units
from pyfennix.callback import ProviderHandle, make_provider
from pyfennix.exceptions import InputError, ModelError
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model

CELL = np.array([[7.0, 0, 0], [1.0, 6.5, 0], [0.5, -0.7, 6.0]])


class Pair(Model):
    """A smooth pair energy that also uses the total charge."""

    cutoff = 5.0
    dtype = torch.float64
    elements = (1, 8)
    uses_total_charge = True

    def forward(self, graph):
        d = graph.distances
        z = graph.numbers[graph.receiver].to(d.dtype)
        pair = z * torch.exp(-d) * (1 - d / self.cutoff) ** 3
        return graph.sum_neighbors(pair) * (1.0 + graph.total_charge)


def waters(n=5, seed=1):
    rng = np.random.default_rng(seed)
    return np.array([8, 1, 1] * n), rng.uniform(0, 6, (3 * n, 3))


def evaluate_both(model, cell, charge=0.0):
    numbers, positions = waters()
    case = Case(numbers, positions, cell, charge=charge)
    handle = make_provider(model)
    assert case.call(handle) == 0, message(handle)
    return case, pyfennix.evaluate(model, numbers, positions, cell, charge)


@pytest.mark.parametrize("cell", [None, CELL, 0.5 * CELL])
@pytest.mark.parametrize(("energy", "length"), [("kcal/mol", "Å"), ("eV", "Å"), ("Ha", "bohr")])
def test_equals_evaluate(cell, energy, length):
    model = Pair()
    model.energy_unit, model.length_unit = energy, length
    case, expected = evaluate_both(model, cell, charge=1.0)
    assert case.result.energy == pytest.approx(expected.energy, rel=1e-12)
    np.testing.assert_allclose(case.forces, expected.forces, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(case.virial, expected.virial, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(case.atom_energy, expected.atom_energies, rtol=1e-12)


def test_record_in_angstrom():
    model = Pair()
    model.length_unit, model.interaction_range = "bohr", 9.0
    record = make_provider(model).record
    assert record.cutoff == pytest.approx(5.0 * units.BOHR_IN_ANGSTROM)
    assert record.range == pytest.approx(9.0 * units.BOHR_IN_ANGSTROM)
    assert [z for z in range(seam.MAX_NUMBER + 1) if record.element[z]] == [1, 8]
    assert record.traits == seam.CONSERVATIVE | seam.USES_CHARGE
    assert record.label.decode().startswith("Pair (0 parameters, float64, cpu, ")


def test_inputs_are_untouched_and_unwanted_outputs_too():
    numbers, positions = waters()
    case = Case(numbers, positions, CELL)
    before = case.positions.copy()
    case.request.wanted = seam.WANT_ENERGY
    handle = make_provider(Pair())
    assert case.call(handle) == 0
    assert np.isnan(case.forces).all()
    assert not case.virial.any()
    np.testing.assert_array_equal(case.positions, before)


def test_topology_lives_as_long_as_the_list(monkeypatch):
    made = []
    original = Topology.from_csr
    monkeypatch.setattr(Topology, "from_csr", lambda *a, **k: made.append(1) or original(*a, **k))
    numbers, positions = waters()
    case = Case(numbers, positions, CELL, cutoff=6.0)
    handle = make_provider(Pair())
    for _ in range(3):
        case.positions += 0.05  # in place, as the engine moves atoms
        assert case.call(handle) == 0
    assert len(made) == 1
    case.list_pairs(6.0)
    assert case.call(handle) == 0
    assert len(made) == 2
    expected = pyfennix.evaluate(Pair(), numbers, case.positions, CELL)
    np.testing.assert_allclose(case.forces, expected.forces, atol=1e-10)


def test_forces_may_go_to_another_buffer():
    numbers, positions = waters()
    case = Case(numbers, positions, CELL)
    handle = make_provider(Pair())
    case.call(handle)
    other = np.zeros_like(case.forces)
    case.result.forces = other.ctypes.data
    case.call(handle)
    np.testing.assert_array_equal(other, case.forces)


def test_changed_cell_is_seen():
    numbers, positions = waters()
    case = Case(numbers, positions, CELL)
    handle = make_provider(Pair())
    case.call(handle)
    case.request.cell = tuple(np.ravel(1.02 * CELL))
    case.call(handle)
    expected = pyfennix.evaluate(Pair(), numbers, positions, 1.02 * CELL)
    np.testing.assert_allclose(case.forces, expected.forces, atol=1e-10)


def failing(forward):
    model = type("Broken", (Pair,), {"forward": forward})()
    numbers, positions = waters()
    case = Case(numbers, positions, CELL)
    handle = make_provider(model)
    return case.call(handle), handle


def raises(*_):
    raise ValueError("a sum went\nwrong")


@pytest.mark.parametrize(("forward", "words"), [
    (lambda self, g: torch.full((g.n_center,), torch.nan), "not finite"),
    (lambda self, g: torch.zeros(3), "shape (3,)"),
    (lambda self, g: torch.zeros(g.n_center, 2), "shape (15, 2)"),
    (lambda self, g: 1.0, "returned float, expected a tensor"),
    (lambda self, g: graph_nan_force(g), "forces that are not finite"),
    (raises, "ValueError: a sum went wrong"),
])
def test_bad_models_fail_with_one_sentence(forward, words):
    status, handle = failing(forward)
    assert status == 1
    text = message(handle)
    assert words in text
    assert "\n" not in text


def graph_nan_force(graph):
    return graph.sum_neighbors(torch.sqrt(graph.distances * 0.0))


def test_error_in_a_users_file_names_file_and_line(tmp_path):
    import importlib.util

    path = tmp_path / "model.py"
    path.write_text(
        "from pyfennix import Model\n\nclass Mine(Model):\n    cutoff = 4.0\n"
        "    def forward(self, graph):\n        return self.helper(graph)\n"
        "    def helper(self, graph):\n        raise ValueError('no luck')\n"
    )
    spec = importlib.util.spec_from_file_location("a_users_model", path)
    module = importlib.util.module_from_spec(spec)
    import sys
    sys.modules["a_users_model"] = module
    spec.loader.exec_module(module)
    numbers, positions = waters()
    handle = make_provider(module.Mine())
    assert Case(numbers, positions).call(handle) == 1
    assert message(handle) == "model.py:Mine raised ValueError: no luck (model.py, line 8)"


def test_first_failure_counts_until_it_is_fetched():
    texts = iter(["first", "second", "third"])

    def fail(*_):
        raise ModelError(next(texts))

    numbers, positions = waters()
    case, handle = Case(numbers, positions), ProviderHandle(fail, "x", 4.0)
    assert [case.call(handle), case.call(handle)] == [1, 1]
    assert message(handle) == "first"
    case.call(handle)
    assert message(handle) == "third"


def test_interrupts_do_not_cross():
    def interrupt(*_):
        raise KeyboardInterrupt

    numbers, positions = waters()
    handle = ProviderHandle(interrupt, "x", 4.0)
    assert Case(numbers, positions).call(handle) == 1
    assert isinstance(handle.failure.take(), KeyboardInterrupt)


def test_traceback_on_request(monkeypatch, capsys):
    monkeypatch.setenv("PYFENNIX_TRACEBACK", "1")
    failing(raises)
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.delenv("PYFENNIX_TRACEBACK")
    failing(raises)
    assert capsys.readouterr().err == ""


def test_long_texts_are_cut_between_characters():
    def fail(*_):
        raise ModelError("Å" * 600)

    numbers, positions = waters()
    handle = ProviderHandle(fail, "Å" * 300, 4.0)
    assert handle.record.label.decode() == "Å" * 127
    assert Case(numbers, positions).call(handle) == 1
    assert message(handle, 100) == "Å" * 49


def test_model_without_cutoff_is_refused():
    with pytest.raises(ModelError, match="declares no cutoff"):
        make_provider(Model())


def test_no_atoms_no_pairs():
    case = Case([8], [[0.0, 0, 0]])
    handle = make_provider(Pair())
    assert case.call(handle) == 0, message(handle)
    assert case.result.energy == 0.0
    assert not case.forces.any()


def test_view_is_the_memory():
    data = np.arange(6.0)
    seen = callback.view(data.ctypes.data, (2, 3), np.float64)
    data[4] = 10.0
    assert seen[1, 1] == 10.0
    assert callback.view(None, (0, 3), np.float64).shape == (0, 3)
    with pytest.raises(ModelError):
        callback.view(None, (1, 3), np.float64)


@pytest.mark.parametrize("wish", ["gpu", "cpu:0", "cuda:x", "cuda:99"])
def test_devices_that_are_not_there(wish):
    with pytest.raises(InputError, match="ml-device"):
        resources.choose_device(wish)


def test_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert resources.choose_threads(5) == 5
    assert resources.choose_threads(0) == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert resources.choose_threads(0) >= 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_equals_cpu():
    numbers, positions = waters()
    case, other = Case(numbers, positions, CELL), Case(numbers, positions, CELL)
    handle, gpu = make_provider(Pair()), make_provider(Pair(), "cuda")
    assert case.call(handle) == 0
    assert other.call(gpu) == 0, message(gpu)
    np.testing.assert_allclose(other.forces, case.forces, rtol=1e-10, atol=1e-10)


