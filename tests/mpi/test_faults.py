"""What goes wrong on one rank ends all: one sentence, and the last checkpoint is intact."""

from __future__ import annotations

import shutil
import time

import pytest
from helpers.ranks import dynamic_on
from helpers.runs import MODELS, TESTS, small_case

pytestmark = pytest.mark.mpi

# faults come after the 12th evaluation of the accurate model: the first forces, then a step each
KEYWORDS = """\
integrator baoab
ml-model {model}
ml-precision float64
ml-threads 1
randomseed 7
checkpoint-every 5
"""
SECONDS = 10.0  # after the failure all ranks are gone


def faulty_case(folder, model):
    """Water for the models that exchange features, else the atoms that pairs.py is made for."""
    key = KEYWORDS.format(model=model)
    if "exchange" not in model:
        return small_case(folder, key, "periodic")
    shutil.copy(TESTS.parent / "examples" / "01_water" / "water.xyz", folder / "case.xyz")
    shutil.copy(MODELS / "faulty_ranks.py", folder)
    shutil.copy(MODELS / "pairs.py", folder)
    (folder / "case.key").write_text("a-axis 18.643\n" + key)
    return folder


def sentences(done):
    return [line for line in done.stderr.splitlines() if line.startswith("fennix-dynamic:")]


CASES = [
    ("faulty_ranks.py:Raises", 2, "this rank has had enough"),
    ("faulty_ranks.py:NotANumber", 3, "not finite"),
    ("faulty_ranks.py:before_exchange", 2, "this rank has had enough"),
    ("faulty_ranks.py:before_exchange", 4, "this rank has had enough"),
    ("faulty_ranks.py:after_exchange", 4, "this rank has had enough"),
]


@pytest.mark.parametrize(("model", "n_ranks", "words"), CASES)
def test_one_rank_fails_and_all_leave(model, n_ranks, words, tmp_path, monkeypatch):
    folder = faulty_case(tmp_path, model)
    done = dynamic_on(n_ranks, folder, "case", 1000, 1.0, 1.0, 2, 300.0, timeout=120)
    assert time.time() - (folder / "failed").stat().st_mtime < SECONDS
    assert done.returncode != 0
    assert len(sentences(done)) == 1, done.stderr
    assert words in sentences(done)[0]
    assert "(rank 1 of" in sentences(done)[0]
    assert "Traceback" not in done.stdout + done.stderr
    resume(folder, n_ranks, monkeypatch)


def test_a_killed_rank_takes_the_others_along(tmp_path, monkeypatch):
    folder = faulty_case(tmp_path, "faulty_ranks.py:Killed")
    done = dynamic_on(3, folder, "case", 1000, 1.0, 1.0, 2, 300.0, timeout=120)
    assert time.time() - (folder / "failed").stat().st_mtime < SECONDS
    assert done.returncode != 0
    resume(folder, 3, monkeypatch)


def resume(folder, n_ranks, monkeypatch):
    """The checkpoint of step 10 is whole: the run goes on from it when the rank is well again."""
    monkeypatch.setenv("PYFENNIX_TEST_HEALTHY", "1")
    done = dynamic_on(n_ranks, folder, "case", 12, 1.0, 1.0, 2, 300.0, "--resume")
    assert done.returncode == 0, done.stderr
    assert "case.chk, step 10" in done.stdout


def test_bricks_that_do_not_fit_the_ranks(tmp_path):
    folder = small_case(tmp_path)
    with (folder / "case.key").open("a") as key:
        key.write("decomp3d 2 2 1\n")
    done = dynamic_on(2, folder, "case", 1)
    assert done.returncode != 0
    assert len(sentences(done)) == 1, done.stderr
    assert "line 8: keyword 'decomp3d' asks for 4 bricks" in sentences(done)[0]


def test_an_input_error_is_told_once(tmp_path):
    folder = small_case(tmp_path)
    with (folder / "case.key").open("a") as key:
        key.write("integratr verlet\n")
    done = dynamic_on(4, folder, "case", 1)
    assert done.returncode != 0
    assert len(sentences(done)) == 1, done.stderr
    assert "did you mean 'integrator'" in sentences(done)[0]


def test_a_model_of_the_whole_system_is_refused(tmp_path):
    folder = small_case(tmp_path)
    text = (folder / "case.key").read_text().replace("pairs.py:Accurate", "whole.py:make_model")
    (folder / "case.key").write_text(text)
    (folder / "whole.py").write_text(
        "from ase.calculators.lj import LennardJones\n\n\n"
        "def make_model():\n    return LennardJones(rc=5.0)\n")
    done = dynamic_on(2, folder, "case", 1)
    assert done.returncode != 0
    assert len(sentences(done)) == 1, done.stderr
    assert "run it on one" in sentences(done)[0]
