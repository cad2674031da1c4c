# SPDX-License-Identifier: MIT
"""harvest-force on several ranks: the same steps and statistics as on one, resumed or failing."""

from __future__ import annotations

import re

import numpy as np
import pytest
from helpers.holes import (
    DT,
    DUMP,
    harvest,
    holes_case,
    predicted,
    read_holes,
    steps_and_positions,
    threshold_for,
)
from helpers.ranks import dynamic_on
from helpers.runs import dynamic

pytestmark = pytest.mark.mpi

STEPS = 60


def go(folder, n_ranks, steps, *words):
    """A run to a step, or over so many; its log."""
    words = ("case", steps, DT, DUMP, 2, 300.0, *words)
    done = dynamic_on(n_ranks, folder, *words) if n_ranks > 1 else dynamic(folder, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """On one rank: the threshold, and what was harvested."""
    folder = holes_case(tmp_path_factory.mktemp("plain"))
    go(folder, 1, STEPS)
    lengths = np.linalg.norm(predicted(steps_and_positions(folder / "case.h5")[1]), axis=2)
    threshold = threshold_for(lengths.max(1))
    folder = holes_case(tmp_path_factory.mktemp("alone"), harvest(threshold))
    log = go(folder, 1, STEPS)
    return threshold, read_holes(folder / "case.holes.h5"), log


def assert_as_alone(found, alone):
    """The same steps and counts, and numbers to rounding."""
    for name in ("steps", "images"):
        np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))
    for name in ("times", "positions", "differences", "worst"):
        np.testing.assert_allclose(getattr(found, name), getattr(alone, name), rtol=1e-6, atol=1e-5)
    at = np.linalg.norm(found.differences, axis=2)[np.arange(len(found.steps)),
                                                   found.worst_atoms - 1]
    np.testing.assert_allclose(at, found.worst, rtol=1e-6)
    one, two = dict(alone.statistics), dict(found.statistics)
    # the two atoms of a molecule are equally far off, but for rounding
    for statistics in (one, two):
        assert statistics.pop("largest_atom") > 0
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("n_ranks", [2, 4])
def test_the_same_on_several_ranks(n_ranks, alone, tmp_path):
    threshold, one, log = alone
    folder = holes_case(tmp_path, harvest(threshold))
    said = go(folder, n_ranks, STEPS)
    assert_as_alone(read_holes(folder / "case.holes.h5"), one)
    # all of the closing lines but the atom
    lines = [[line.split(" on atom ")[0] for line in text.splitlines()
              if re.search("Harvest: |holes.h5 holds|Largest difference|atoms x steps", line)]
             for text in (log, said)]
    assert len(lines[0]) == 4
    assert lines[0] == lines[1]


def test_ranks_may_change_at_a_resumed_run(alone, tmp_path):
    threshold, one, _ = alone
    folder = holes_case(tmp_path, harvest(threshold))
    go(folder, 2, 25)
    go(folder, 1, 40, "--resume")
    go(folder, 2, STEPS, "--resume")
    assert_as_alone(read_holes(folder / "case.holes.h5"), one)


def test_harvest_max_is_one_decision(alone, tmp_path):
    threshold, one, _ = alone
    folder = holes_case(tmp_path, harvest(threshold) + "harvest-max 5\n")
    assert f"{len(one.steps) - 5} steps were counted but not written" in go(folder, 2, STEPS)
    np.testing.assert_array_equal(read_holes(folder / "case.holes.h5").steps, one.steps[:5])


@pytest.mark.parametrize(("threshold", "n_frames"), [(0.001, 11), (1000.0, 0)])
def test_a_rank_that_fails_spoils_nothing(threshold, n_frames, tmp_path):
    """Its forces of the step at which it fails are not the model's: neither written nor counted."""
    folder = holes_case(tmp_path, harvest(threshold) + "checkpoint-every 1000\n")
    key = (folder / "case.key").read_text()
    (folder / "case.key").write_text(key.replace("Accurate", "Failing"))
    done = dynamic_on(2, folder, "case", STEPS, DT, 1.0, 2, 300.0, timeout=60)
    assert done.returncode != 0
    assert "this rank has had enough" in done.stderr
    found = read_holes(folder / "case.holes.h5")
    np.testing.assert_array_equal(found.steps, np.arange(n_frames) + 1)
    # the 13th evaluation fails, that of step 12
    assert found.statistics["n_steps"] == 11
