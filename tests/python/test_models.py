# SPDX-License-Identifier: MIT
"""The model contract: pair lists, graphs, evaluation, loading by name or file, ASE."""

import numpy as np
import pytest
import torch

from pyfennix import units
from pyfennix.exceptions import InputError, ModelError
from pyfennix.models.evaluate import evaluate, evaluate_topology
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model, check_elements
from pyfennix.models.pairs import build_pairs
from pyfennix.models.registry import load_model, shipped
from pyfennix.models.segments import gather_columns, segment_sum, spread_columns, sum_columns

SKEWED = np.array([[5.0, 0.0, 0.0], [1.0, 4.5, 0.0], [-0.5, 0.7, 6.0]])


class Spring(Model):
    """Pairs of argon with a smooth end, in eV."""

    name = "spring"
    cutoff = 3.0
    elements = (18,)
    energy_unit = "eV"

    def forward(self, graph):
        d = graph.distances
        return graph.sum_neighbors(0.5 * (1 - d / self.cutoff) ** 3)


class Broken(Spring):
    """Returns what it is told to."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def forward(self, graph):
        return self.what(graph)


def naive_pairs(positions, cell, cutoff, reach):
    """All pairs by brute force, as a set of (i, j, shift)."""
    found = set()
    images = range(-reach, reach + 1) if cell is not None else (0,)
    for i in range(len(positions)):
        for j in range(len(positions)):
            for shift in np.ndindex(*(len(images),) * 3):
                s = np.array(shift) - (reach if cell is not None else 0)
                offset = 0 if cell is None else s @ cell
                d = np.linalg.norm(positions[j] - positions[i] + offset)
                if d < cutoff and not (i == j and not s.any()):
                    found.add((i, j, *s.tolist()))
    return found


@pytest.mark.parametrize("cutoff", [1.5, 4.0, 7.0])
@pytest.mark.parametrize("cell", [None, SKEWED], ids=["isolated", "skewed"])
def test_pairs_are_all_pairs(cell, cutoff):
    random = np.random.default_rng(3)
    positions = random.normal(scale=6.0, size=(7, 3))
    first, neighbor, shift = build_pairs(positions, cell, cutoff)
    receiver = np.repeat(np.arange(7), np.diff(first))
    rows = [tuple(map(int, (i, j, *s)))
            for i, j, s in zip(receiver, neighbor, shift, strict=True)]
    assert rows == sorted(rows)
    assert len(rows) == len(set(rows))
    assert set(rows) == naive_pairs(positions, cell, cutoff, reach=10)


def test_pairs_of_nothing_and_of_far_atoms():
    first, neighbor, shift = build_pairs(np.zeros((0, 3)), None, 5.0)
    assert first.tolist() == [0]
    assert neighbor.size == shift.size == 0
    first, neighbor, _ = build_pairs(np.array([[0.0, 0, 0], [1e6, 0, 0], [1e6, 0, 1]]), None, 5.0)
    assert neighbor.tolist() == [2, 1]


def test_pairs_refuse_nonsense():
    with pytest.raises(InputError, match="finite"):
        build_pairs(np.array([[np.nan, 0, 0]]), None, 5.0)
    with pytest.raises(InputError, match="volume"):
        build_pairs(np.zeros((1, 3)), np.zeros((3, 3)), 5.0)


def test_topology_refuses_contradictions():
    good = [np.array([18, 18]), np.array([0, 1, 2]), np.array([1, 0]), np.zeros((2, 3)), 2, 2, 2]
    Topology.from_csr(*good)
    for at, value in ((1, np.array([0, 1])), (2, np.array([1, 7])), (3, np.zeros((1, 3))), (6, 3)):
        bad = list(good)
        bad[at] = value
        with pytest.raises(ModelError):
            Topology.from_csr(*bad)
    with pytest.raises(ModelError, match="lacks"):
        Topology.from_csr(*good, composition={1: 2})


def test_edge_operations_agree_with_plain_ones_twice_differentiated():
    torch.manual_seed(0)
    owner = torch.tensor([0, 0, 2, 2, 2, 3])
    mixed = torch.tensor([4, 0, 5, 1, 3, 2])
    first = torch.tensor([0, 2, 2, 5, 6])
    shuffled = torch.empty(6, dtype=torch.int64)
    shuffled[mixed] = owner
    rows = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    values = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    plain = torch.zeros(4, 3, dtype=torch.float64).index_add(0, shuffled, rows)
    assert torch.allclose(segment_sum(rows, mixed, first, shuffled), plain)
    assert torch.allclose(sum_columns(rows.T, mixed, first, shuffled), plain)
    operations = (
        (lambda x: segment_sum(x, mixed, first, shuffled) ** 2, rows),
        (lambda x: sum_columns(x.T, mixed, first, shuffled) ** 2, rows),
        (lambda x: spread_columns(x, mixed, first, shuffled) ** 2, values),
        (lambda x: gather_columns(x, shuffled) ** 2, values),
    )
    for operation, argument in operations:
        assert torch.autograd.gradcheck(operation, argument)
        assert torch.autograd.gradgradcheck(operation, argument)


def test_evaluate_two_atoms_by_hand():
    result = evaluate(Spring(), [18, 18], [[0, 0, 0], [0, 0, 1.5]])
    assert result.energy == pytest.approx(0.125 * units.EV_IN_KCAL, rel=1e-6)
    slope = -3 / 3.0 * 0.25 * units.EV_IN_KCAL
    assert result.forces == pytest.approx(
        np.array([[0, 0, slope], [0, 0, -slope]]), rel=1e-5, abs=1e-6
    )
    assert result.virial[2, 2] == pytest.approx(1.5 * slope, rel=1e-5)


def test_evaluate_far_atoms_and_a_model_that_ignores_them():
    assert not evaluate(Spring(), [18, 18], [[0, 0, 0], [0, 0, 9]]).forces.any()
    constant = Broken(lambda graph: torch.ones(graph.n_center))
    assert not evaluate(constant, [18, 18], [[0, 0, 0], [0, 0, 1]]).forces.any()


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (lambda g: torch.zeros(g.n_center, 1), r"shape \(2, 1\), expected \(2,\)"),
        (lambda g: 3.0, "returned float, expected a tensor"),
        (lambda g: torch.full((g.n_center,), torch.nan), "energies that are not finite"),
        (lambda g: g.sum_neighbors(g.distances - 1.0).sqrt() * 0 + 1, "not finite"),
    ],
    ids=["shape", "kind", "energy", "force"],
)
def test_evaluate_refuses_unusable_results(what, text):
    with pytest.raises(ModelError, match=text):
        evaluate(Broken(what), [18, 18], [[0, 0, 0], [0, 0, 1.0]])


def test_elements_are_refused_by_symbol():
    with pytest.raises(ModelError, match="element Na: it supports Ar"):
        check_elements(Spring(), [18, 11])


def test_dtype_follows_the_parameters():
    model = Spring()
    assert model.double().dtype == torch.float64
    assert model.float().dtype == torch.float32
    assert model.to("cpu").dtype == torch.float32
    assert model.to(dtype=torch.float64).dtype == torch.float64


def test_only_local_energies_count():
    model = Spring()
    topology = Topology.from_csr([18, 18], [0, 1], [1], [[0, 0, 0]], 1, 1, 2)
    positions = torch.tensor([[0.0, 0, 0], [0, 0, 1.5]], dtype=torch.float64)
    result = evaluate_topology(model, topology, positions, None)
    assert float(result.energy) == pytest.approx(0.5 * 0.125)
    assert result.forces.shape == (2, 3)
    assert torch.allclose(result.forces[0], -result.forces[1])


def test_shipped_names_load_in_both_precisions():
    assert {"water-accurate", "water-fast"} <= set(shipped())
    for name in ("water-accurate", "water-fast"):
        for dtype in (torch.float32, torch.float64):
            model = load_model(name, dtype=str(dtype).split(".")[1])
            assert model.dtype == dtype
            assert model.name == name
            assert model.elements == (1, 8)
            assert not any(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("water-fst", "did you mean water-fast"),
        ("qqqq", "shipped are"),
        ("absent.fnx", "does not exist"),
        ("absent.py", "missing"),
        ("weights.pkl", "does not exist"),
    ],
)
def test_unknown_models_are_one_sentence(name, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=text) as caught:
        load_model(name)
    assert "\n" not in str(caught.value)


USER_MODEL = '''
import torch
from pyfennix.models.interface import Model

class First(Model):
    cutoff = 4.0
    def forward(self, graph):
        return graph.sum_neighbors((1 - graph.distances / 4.0) ** 3)

class Second(First):
    pass
'''


def test_model_from_a_python_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(USER_MODEL)
    assert type(load_model(f"{path}:Second")).__name__ == "Second"
    with pytest.raises(ModelError, match="First, Second"):
        load_model(str(path))
    path.write_text(USER_MODEL.replace("class Second(First):\n    pass", ""))
    assert load_model(str(path), dtype="float64").dtype == torch.float64
    path.write_text("1 / 0")
    with pytest.raises(ModelError, match=r"ZeroDivisionError.*line 1"):
        load_model(str(path))


def test_ase_calculator():
    ase = pytest.importorskip("ase", reason="ASE is not installed")
    from pyfennix.models.ase_calculator import Calculator

    atoms = ase.Atoms("Ar2", [[0, 0, 0], [0.3, 0.2, 1.5]], cell=SKEWED, pbc=True)
    atoms.calc = Calculator(Spring().to(torch.float64))
    numeric = np.zeros(6)
    for k, (a, b) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
        energy = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * 5e-6
            strain[b, a] += sign * 5e-6
            other = atoms.copy()
            other.set_cell(atoms.cell @ strain, scale_atoms=True)
            other.calc = atoms.calc
            energy.append(other.get_potential_energy())
        numeric[k] = (energy[0] - energy[1]) / 2e-5 / atoms.get_volume()
    assert atoms.get_stress() == pytest.approx(numeric, abs=1e-8)
    atoms.pbc = (True, True, False)
    with pytest.raises(InputError, match="all three"):
        atoms.get_potential_energy()
