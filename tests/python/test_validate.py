# SPDX-License-Identifier: MIT
"""validate_model passes good models and says what is wrong with bad ones."""

import numpy as np
import pytest
import torch
from ase.calculators.calculator import Calculator as AseCalculator
from ase.calculators.calculator import all_changes

from pyfennix.models.ase_calculator import Calculator
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


def test_nothing_is_raised():
    report = validate_model(Raising())
    assert not report.passed
    assert "no idea" in str(report)


def test_the_model_is_not_changed():
    model = load_model("water-fast")
    validate_model(model)
    assert model.dtype == torch.float32
    assert next(model.parameters()).dtype == torch.float32


def argon_calculator(**options):
    from ase.calculators.lj import LennardJones

    return LennardJones(sigma=2.0, epsilon=0.01, rc=5.0, smooth=True, **options)


def test_ase_calculators_pass():
    report = validate_model(load_model(argon_calculator()))
    assert report.passed, str(report)
    assert len(report.checks) == 7
    model = load_model("water-fast", dtype="float64")
    report = validate_model(load_model(Calculator(model)), [8, 1, 1],
                            [[0.0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    assert report.passed, str(report)


class BadCalculator(AseCalculator):
    """What is wrong depends on ``what``."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, what):
        super().__init__()
        self.what, self.inner = what, argon_calculator()

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.inner.calculate(atoms)
        self.results = dict(self.inner.results)
        x = atoms.positions
        if self.what == "forces":
            self.results["forces"] = 1.01 * self.results["forces"]
        elif self.what == "virial":
            self.results["stress"] = -self.results["stress"]
        elif self.what == "rotation":
            self.results["forces"] = self.results["forces"] * [1.0, 1.0, 0.9]
        elif self.what == "permutation":
            self.results["forces"] = self.results["forces"] * np.linspace(1, 2, len(x))[:, None]
        elif self.what == "translation":
            self.results["forces"] = self.results["forces"] + x
        elif self.what == "determinism":
            self.results["forces"] = self.results["forces"] + np.random.default_rng().normal()
        elif self.what == "set-up":
            raise RuntimeError("no idea")


@pytest.mark.parametrize("what", ["forces", "virial", "rotation", "permutation", "translation",
                                  "determinism", "set-up"])
def test_bad_calculators_are_named(what):
    assert what in failures(load_model(BadCalculator(what)))
