"""The examples run as they are shipped, with fewer steps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.runs import environment

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "01_water": (["bash", "01_water/run.sh"], "20",
                 ["water.log", "water.arc", "water.h5", "water.png"]),
    "02_python": ([sys.executable, "02_python/water.py", "20"], "", ["temperature.png"]),
    "03_own_model": (["bash", "03_own_model/run.sh"], "200",
                     ["argon.log", "argon.arc", "argon.h5"]),
    "04_ranks": (["bash", "04_ranks/run.sh"], "20", ["1/water.h5", "2/water.h5"]),
    "05_distill": (["env", "PS=0.3", "bash", "05_distill/run.sh"], "100",
                   ["fast.fnx", "report.html", "report.json", "spectrum.png"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_runs(name, tmp_path):
    line, steps, products = COMMANDS[name]
    shutil.copytree(ROOT / "examples", tmp_path / "examples",
                    ignore=shutil.ignore_patterns("output"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(line, cwd=tmp_path / "examples", capture_output=True, text=True,
                          env=environment() | {"PATH": path, "STEPS": steps}, timeout=300)
    assert done.returncode == 0, done.stderr
    for product in products:
        assert (tmp_path / "examples" / name / "output" / product).stat().st_size > 0, product


def test_the_readme_shows_the_example_model():
    """The code a reader copies is the code that runs."""
    shown = (ROOT / "README.md").read_text()
    code = (ROOT / "examples" / "03_own_model" / "argon.py").read_text()
    assert code.split('"""', 2)[2].strip() in shown


def test_the_readme_explains_the_keyfile_of_the_example():
    shown = (ROOT / "README.md").read_text()
    for line in (ROOT / "examples" / "01_water" / "water.key").read_text().splitlines():
        if not line.startswith("#"):
            assert line in shown, line
