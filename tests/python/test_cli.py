# SPDX-License-Identifier: MIT
"""The commands: info, run, recover, and the executable behind them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from helpers.runs import MODELS, environment, small_case

import pyfennix
from pyfennix import cli


def command(*words, folder=None, **extra):
    """`python -m pyfennix words`."""
    return subprocess.run(
        [sys.executable, "-m", "pyfennix", *map(str, words)], cwd=folder, capture_output=True,
        text=True, env=environment() | extra, timeout=120, check=False,
    )


def executable() -> Path:
    """The real program, not the script that finds it."""
    from importlib import resources

    return Path(os.fspath(resources.files("pyfennix").joinpath("fennix-dynamic")))


def test_info(capsys):
    assert cli.main(["info", f"{MODELS}/pairs.py:Accurate"]) == 0
    text = capsys.readouterr().out
    for words in ("pairs.py:Accurate", "5.5 Å", "H, O", "kcal/mol", "cost per atom"):
        assert words in text


def test_info_json(capsys):
    assert cli.main(["info", f"{MODELS}/pairs.py:Fast", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["cutoff"], facts["length_unit"]) == (3.5, "Å")
    assert facts["elements"] == ["H", "O"]
    assert facts["conservative"] is True


@pytest.mark.parametrize(("name", "words"), [
    ("nothing.fnx", "nothing.fnx"),
    ("nothing.py", "nothing.py"),
    (f"{MODELS}/pairs.py", "Accurate, Fast"),
    (f"{MODELS}/pairs.py:Slow", "Slow"),
])
def test_info_refusals(name, words, capsys):
    assert cli.main(["info", name]) == 1
    error = capsys.readouterr().err
    assert error.startswith("pyfennix info: ")
    assert words in error
    assert error.count("\n") == 1


def test_help_and_version():
    found = command("--help")
    assert found.returncode == 0
    assert all(name in found.stdout for name in ("info", "run", "recover"))
    assert "examples:" in command("info", "--help").stdout
    assert command("--version").stdout.strip() == f"pyfennix {pyfennix.__version__}"
    assert command("inf").returncode == 2


def test_import_is_light():
    code = "import sys, pyfennix; print([m for m in ('torch', 'ase', 'h5py') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    assert found.stderr == ""


def test_versions_agree():
    found = subprocess.run([executable(), "--version"], env=environment(), capture_output=True,
                           text=True, check=True)
    assert found.stdout.split() == ["pyfennix", pyfennix.__version__]


def test_run_is_the_executable(tmp_path):
    small_case(tmp_path)
    found = command("run", "case", 2, 1.0, 0.001, 2, 300.0, folder=tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    with h5py.File(tmp_path / "case.h5") as file:
        assert file["particles/trajectory/position/step"][-1] == 2
        assert file["parameters/version"][()].decode() == pyfennix.__version__


def test_executable_finds_its_python_alone(tmp_path):
    small_case(tmp_path)
    environ = {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    environ |= {k: v for k, v in environment().items() if k.startswith("OMPI_")}
    found = subprocess.run([executable(), "case", "0"], cwd=tmp_path, env=environ,
                           capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stderr


@pytest.mark.mpi
@pytest.mark.skipif(not shutil.which("mpirun"), reason="no mpirun")
def test_under_mpirun(tmp_path):
    small_case(tmp_path)
    found = subprocess.run(["mpirun", "-n", "1", executable(), "case", "0"], cwd=tmp_path,
                           env=environment(), capture_output=True, text=True, timeout=120,
                           check=False)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(("python", "words"), [
    ("/nowhere/python", "which is not a program that can be run"),
    ("/bin/true", "pyfennix"),
])
def test_wrong_interpreter(tmp_path, python, words):
    small_case(tmp_path)
    found = subprocess.run([executable(), "case", "0"], cwd=tmp_path, capture_output=True,
                           text=True, env=environment() | {"PYFENNIX_PYTHON": python},
                           timeout=120, check=False)
    assert found.returncode != 0
    assert words in found.stderr
    assert "Traceback" not in found.stderr


def test_missing_executable(monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(sys, "argv", ["fennix-dynamic", "x"])
    assert cli.dynamic() == 1
    assert "is missing" in capsys.readouterr().err


def test_traceback_only_on_request(tmp_path):
    small_case(tmp_path)
    shutil.copy(MODELS / "faulty.py", tmp_path)
    key = tmp_path / "case.key"
    key.write_text(key.read_text().replace("pairs.py:Accurate", "faulty.py:Raises"))
    found = command("run", "case", 1, folder=tmp_path)
    assert found.returncode != 0
    assert "faulty.py:Raises raised ValueError" in found.stderr
    assert "Traceback" not in found.stderr
    found = command("run", "case", 1, folder=tmp_path, PYFENNIX_TRACEBACK="1")
    assert "Traceback" in found.stderr


def test_recover(tmp_path):
    small_case(tmp_path)
    assert command("run", "case", 2, 1.0, 0.001, 2, 300.0, folder=tmp_path).returncode == 0
    found = command("recover", "case.h5", folder=tmp_path)
    assert found.stdout == "case.h5: 2 complete frames, readable again\n"
    found = command("recover", "absent.h5", folder=tmp_path)
    assert found.returncode == 1
    assert found.stderr == "pyfennix recover: absent.h5: the trajectory is missing\n"


def test_recover_refuses_a_live_run(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("x", (0,), "f8", maxshape=(None,))
        file.swmr_mode = True
        found = command("recover", "x.h5", folder=tmp_path)
        assert found.returncode == 1
        assert found.stderr == (f"pyfennix recover: x.h5: process {os.getpid()} is still writing "
                                "it; wait until that has ended\n")
        assert list(tmp_path.iterdir()) == [path]
    with h5py.File(path):  # a reader does no harm
        assert command("recover", "x.h5", folder=tmp_path).returncode == 0


def test_rerun_of_both_kinds_of_trajectory(tmp_path):
    small_case(tmp_path)
    assert command("run", "case", 4, 1.0, 0.002, 2, 300.0, folder=tmp_path).returncode == 0
    (tmp_path / "case.dyn").unlink()
    with (tmp_path / "case.key").open("a") as key:
        key.write("minimize on\n")  # frames are evaluated as they are
    tables = []
    for name in ("case.arc", "case.h5"):
        found = command("run", "case", "--rerun", name, folder=tmp_path)
        assert found.returncode == 0, found.stderr
        lines = found.stdout[found.stdout.index("     Frame"):].splitlines()[1:]
        tables.append([[float(word) for word in line.split()] for line in lines])
    assert len(tables[0]) == 2
    for one, two in zip(*tables, strict=True):
        assert one == pytest.approx(two, abs=2e-3)


def test_rerun_of_another_system(tmp_path):
    small_case(tmp_path)
    assert command("run", "case", 1, 1.0, 0.001, 2, 300.0, folder=tmp_path).returncode == 0
    (tmp_path / "case.dyn").unlink()
    with h5py.File(tmp_path / "case.h5", "r+") as file:
        file["particles/trajectory/species"][0] = 2
    found = command("run", "case", "--rerun", "case.h5", folder=tmp_path)
    assert found.returncode == 1
    assert "of another system than case" in found.stderr
