# SPDX-License-Identifier: MIT
"""After a failure in the middle of a step nothing is saved: the last checkpoint stays."""

from __future__ import annotations

import pytest
from helpers.runs import MODELS, reference, simulation

from pyfennix import FennixError, Model, load_model

GOOD = 9


class Failing(Model):
    """The accurate pair potential, until it has been evaluated often enough."""

    cutoff = 5.5
    elements = (1, 8)

    def __init__(self):
        super().__init__()
        self.pair = load_model(f"{MODELS / 'pairs.py'}:Accurate", dtype="float64")
        self.calls = 0

    def forward(self, graph):
        self.calls += 1
        if self.calls > GOOD:
            raise ValueError("had enough")
        return self.pair(graph)


def test_closing_after_a_failure_keeps_the_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr("helpers.runs.model_path", lambda model: model)
    numbers, positions, velocities, cell = reference("periodic")
    sim = simulation(numbers, positions, cell, accurate=Failing(), ensemble="nve", dt=0.5,
                     velocities=velocities, output=tmp_path / "run",
                     keywords={"checkpoint-every": 5})
    sim.run(5)
    files = {name: (tmp_path / name).read_bytes() for name in ("run.chk", "run.dyn")}
    with pytest.raises(FennixError, match="had enough"):
        sim.run(10)
    sim.close()
    for name, kept in files.items():
        assert (tmp_path / name).read_bytes() == kept
