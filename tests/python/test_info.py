# SPDX-License-Identifier: MIT
"""`pyfennix info`: facts, their keys as documented, and a cost that is counted right."""

import json
import re
from pathlib import Path

import pytest
import torch

import pyfennix as fx
from pyfennix import cli
from pyfennix.info import compact, model_facts, text_lines
from pyfennix.io.fnx import read_fnx, write_tree
from pyfennix.models.cost import estimate_cost
from pyfennix.models.evaluate import evaluate_topology

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "pyfennix" / "weights"


class Product(fx.Model):
    """One matrix product of each pair, so that the count is known."""

    cutoff = 4.0
    elements = (18,)

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(8, 16))

    def forward(self, graph):
        rows = graph.distances[:, None] * torch.ones(8)
        return graph.sum_neighbors((rows @ self.weight).square().sum(1))


def test_cost_is_counted_right():
    """Forward and backward product of 8 x 16 for each pair, and 9 multiply-adds of the virial."""
    cost = estimate_cost(Product().requires_grad_(False))
    assert cost.atoms == 125
    assert pytest.approx(cost.pairs, rel=0.1) == 4 / 3 * 3.14159 * 4.0**3 * 0.1
    assert cost.matrix_operations == pytest.approx(cost.pairs * (2 * 2 * 8 * 16 + 18))
    assert cost.memory > cost.pairs * (8 + 16) * 4  # both factors are kept for the gradient
    assert cost.bytes_moved > cost.memory


def test_cost_leaves_the_model_alone():
    model = fx.load_model("water-fast")
    one = fx.evaluate(model, [8, 1, 1], [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    native = model.native
    fast = estimate_cost(model)
    assert model.native is native
    two = fx.evaluate(model, [8, 1, 1], [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    assert one.energy == two.energy
    slow = estimate_cost(fx.load_model("water-accurate"))
    for part in ("pairs", "matrix_operations", "other_operations", "bytes_moved", "memory"):
        assert getattr(slow, part) > 2 * getattr(fast, part), part


def test_memory_is_that_of_the_profiler():
    """The largest amount held at a time, as torch's own profiler has it."""
    from torch.profiler import ProfilerActivity, profile

    from pyfennix.models import cost as module

    model = fx.load_model("water-accurate")
    counted = estimate_cost(model)
    peaks = []

    def watched(*arguments):
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watch:
            result = evaluate_topology(*arguments)
        total, peak = 0, 0
        for event in sorted(watch.profiler.kineto_results.events(), key=lambda e: e.start_ns()):
            if event.name() == "[memory]":
                total += event.nbytes()
                peak = max(peak, total)
        peaks.append(peak)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "evaluate_topology", watched)
        patch.setattr(module, "_Counter", _Blind)
        estimate_cost(model)
    assert counted.memory == pytest.approx(peaks[-1] / counted.atoms, rel=0.05)


class _Blind:
    matrix = other = bytes = peak = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_facts_of_a_module_list():
    facts = model_facts(fx.load_model("water-accurate"))
    assert facts["kind"] == "energies of atoms"
    assert facts["graphs"] == {"graph": 7.0, "graph_embed": 4.2}
    assert facts["cutoff"] == 7.0
    assert facts["interaction_range"] == pytest.approx(11.2)
    assert facts["energy_terms"] == ["nn_energies", "repulsion"]
    assert facts["ensemble_members"] is None
    assert facts["uses_total_charge"] is False
    assert sum(m["parameters"] for m in facts["modules"]) <= facts["parameters"] == 143913
    assert all(m["used"] for m in facts["modules"])
    assert json.loads(json.dumps(facts)) == facts


def test_licence_and_other_notes_of_a_file(tmp_path):
    tree = read_fnx(WEIGHTS / "water-fast.fnx")
    tree |= {"license": "academic use only", "citation": "A. Author,\nJ. Nowhere 1, 2 (2020)",
             "about": {"not": "text"}}
    write_tree(tmp_path / "mine.fnx", tree)
    facts = model_facts(fx.load_model(tmp_path / "mine.fnx"), with_cost=False)
    assert facts["notes"]["license"] == "academic use only"
    assert "SO3LR" in facts["notes"]["description"]
    lines = text_lines(facts)
    assert any(re.fullmatch(r"license +academic use only", line) for line in lines)
    assert any(line.endswith("A. Author, J. Nowhere 1, 2 (2020)") for line in lines)


def test_facts_of_a_calculator():
    from ase.calculators.lj import LennardJones
    from ase.calculators.tip3p import TIP3P

    facts = model_facts(fx.load_model(LennardJones()))
    assert facts["architecture"] == "LennardJones (ASE calculator)"
    assert facts["gives_virial"] is True
    assert "cutoff" not in facts
    lines = text_lines(model_facts(fx.load_model(TIP3P())))
    assert any(re.fullmatch(r"virial +none, so that runs have no pressure", line) for line in lines)
    assert any(re.fullmatch(r"elements +all", line) for line in lines)


def test_a_model_that_cannot_be_evaluated_still_has_facts():
    class Broken(Product):
        def forward(self, graph):
            raise ValueError("not today")

    facts = model_facts(Broken())
    assert facts["cost"] is None
    assert "not today" in facts["cost_error"]
    assert any("not today" in line for line in text_lines(facts))


@pytest.mark.parametrize(("symbols", "text"), [
    (None, "all"), ([], "none"), (["H"], "H"), (["O", "H"], "H, O"), (["C", "N"], "C, N"),
    (["H", "C", "N", "O", "F", "P", "S", "Cl"], "H, C-F, P-Cl"),
])
def test_elements_are_compact(symbols, text):
    assert compact(symbols) == text


def test_the_keys_are_documented(capsys):
    """Every key of the JSON stands in the table of docs/models.md."""
    assert cli.main(["info", "water-fast", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    page = (ROOT / "docs" / "models.md").read_text()
    keys = [*facts, *facts["cost"], *facts["modules"][0], "gives_virial", "cost_error"]
    for key in keys:
        assert f"`{key}`" in page, key


def test_unknown_files_are_one_sentence(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "old.pkl").write_bytes(b"\x80\x04K\x01.")
    for name in (tmp_path / "notes.txt", tmp_path / "old.pkl", tmp_path, "no/such.fnx"):
        assert cli.main(["info", str(name)]) == 1
        error = capsys.readouterr().err
        assert error.startswith("pyfennix info: ")
        assert error.count("\n") == 1
        assert "Traceback" not in error
