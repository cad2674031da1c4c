"""Energy, forces and virial do not depend on the number of ranks, the bricks or the halo."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from helpers.ranks import WORKERS, run_worker

from pyfennix import evaluate

pytestmark = pytest.mark.mpi
sys.path.insert(0, str(WORKERS))
import cases  # noqa: E402

PER_ATOM, RELATIVE = 1e-9, 1e-9  # kcal/mol; of the largest force or virial


@pytest.fixture(scope="module")
def references():
    """One vector of energy, virial and forces for each system and model, without the engine."""
    found = {}
    for name, system in cases.systems().items():
        for kind, (model, _) in cases.models().items():
            if cases.wanted(name, kind):
                result = evaluate(model, *system)
                found[name, kind] = result.energy, result.virial, result.forces
    return found


@pytest.mark.parametrize("n_ranks", [1, 2, 4, 8])
def test_any_ranks_give_the_same_forces(n_ranks, references, tmp_path):
    done = run_worker(n_ranks, "forces", tmp_path / "out.npz", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out.npz") as file:
        found = dict(file)
    assert len(found) == len(references) * len(cases.SHAPES[n_ranks])
    for key, answer in found.items():
        name, kind, _ = key.split("|")
        energy, virial, forces = references[name, kind]
        assert np.isfinite(answer).all(), key
        assert abs(answer[0] - energy) <= PER_ATOM * len(forces), key
        off = answer[1:10].reshape(3, 3) - virial
        assert np.abs(off).max() <= RELATIVE * np.abs(virial).max(), key
        difference = answer[10:].reshape(-1, 3) - forces
        assert np.abs(difference).max() <= RELATIVE * np.abs(forces).max(), key
        assert np.abs(forces).max() > 1.0, f"{key}: nothing to compare"
