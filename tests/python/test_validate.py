# SPDX-License-Identifier: MIT
"""validate_model passes good models and says what is wrong with bad ones."""

import re
from pathlib import Path

import pytest
import torch

from pyfennix.models.interface import Model
from pyfennix.models.registry import load_model
from pyfennix.models.validate import validate_model


class Good(Model):
    """Two layers with one message, so that ranges matter."""

    name = "good"
    cutoff = 2.5
    interaction_range = 5.0
    elements = (1, 8)

    def forward(self, graph):
        weight = (1 - graph.distances / self.cutoff) ** 3
        density = graph.sum_neighbors(weight)
        known = torch.cat([density, density.new_zeros(graph.n_total - graph.n_center)])
        return graph.sum_neighbors(weight * known[graph.neighbor])


class Jump(Good):
    def forward(self, graph):
        return graph.sum_neighbors(torch.exp(-graph.distances))


class Directional(Good):
    def forward(self, graph):
        weight = (1 - graph.distances / self.cutoff) ** 3
        return graph.sum_neighbors(weight * graph.vectors[:, 0] ** 2)


class Narrow(Good):
    interaction_range = 2.5


class Detached(Good):
    def forward(self, graph):
        return super().forward(graph) + graph.sum_neighbors(graph.vectors.detach().norm(dim=1))


class Ordered(Good):
    def forward(self, graph):
        return super().forward(graph) * torch.linspace(1, 2, graph.n_center)


class Writing(Good):
    def forward(self, graph):
        graph.numbers[0] = 8 if int(graph.numbers[0]) == 1 else 1
        return super().forward(graph)


class Random(Good):
    def forward(self, graph):
        return super().forward(graph) * torch.rand(1, dtype=graph.vectors.dtype)


class Raising(Good):
    def forward(self, graph):
        raise RuntimeError("no idea")


class WrongDtype(Good):
    def forward(self, graph):
        return super().forward(graph).double()


def failures(model):
    return {check.name for check in validate_model(model).checks if not check.passed}


@pytest.mark.parametrize("name", ["water-accurate", "water-fast"])
def test_shipped_models_pass(name):
    report = validate_model(load_model(name))
    assert report.passed, str(report)
    assert len(report.checks) == 13
    assert "passed" in str(report)


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (Jump, "smooth at cutoff"),
        (Directional, "rotation"),
        (Narrow, "ghosts"),
        (Detached, "forces"),
        (Detached, "virial"),
        (Ordered, "permutation"),
        (Writing, "untouched inputs"),
        (Random, "determinism"),
        (WrongDtype, "shapes"),
    ],
)
def test_bad_models_are_named(kind, complaint):
    assert complaint in failures(kind())


def test_a_good_model_of_ones_own_passes():
    report = validate_model(Good())
    assert report.passed, str(report)


def test_the_example_of_the_documentation_passes(tmp_path):
    page = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text()
    source = re.search(r"```python\n# mine\.py\n(.*?)```", page, re.DOTALL).group(1)
    (tmp_path / "mine.py").write_text(source)
    report = validate_model(load_model(tmp_path / "mine.py"))
    assert report.passed, str(report)


def test_nothing_is_raised():
    report = validate_model(Raising())
    assert not report.passed
    assert "no idea" in str(report)


def test_the_model_is_not_changed():
    model = load_model("water-fast")
    validate_model(model)
    assert model.dtype == torch.float32
    assert next(model.parameters()).dtype == torch.float32
