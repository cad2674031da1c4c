"""The house holds its architecture: layers, ceilings, words that belong to one room only."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from helpers import house_rules as rules

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("*", ".ci/*", *(f"{folder}/**/*" for folder in (
    "benchmarks", "docs", "examples", "fortran", "pyfennix", "tests", "tools")))


def tracked() -> dict[str, str]:
    """Text files of the repository: {path: text}; new files that git does not ignore count."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    names = listed.stdout.split("\n")
    if listed.returncode:  # an archive, not a checkout
        names = [str(path.relative_to(ROOT)) for place in PLACES for path in ROOT.glob(place)]
    found = {}
    for name in sorted(set(names) - {""}):
        path = ROOT / name
        if path.is_file():
            try:
                found[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    return found


FILES = tracked()
FORTRAN = {p: t for p, t in FILES.items() if p.startswith("fortran/") and p.endswith(".f90")}
PYTHON = {p: t for p, t in FILES.items() if p.startswith("pyfennix/") and p.endswith(".py")}
SOURCES = {p: t for p, t in FILES.items()
           if p.endswith((".f90", ".py", ".c", ".sh", "meson.build", "Makefile"))}
HOME = {
    match.group(1).lower(): rules.fortran_layer(path)
    for path, text in FORTRAN.items()
    for match in re.finditer(r"^\s*module\s+(fennix_\w+)\s*$", text, re.M | re.I)
}


def complaints(rule, files, *arguments) -> str:
    """All complaints of a rule, one a line."""
    return "\n".join(line for p, t in files.items() for line in rule(p, t, *arguments))


def test_there_is_something_to_read():
    assert len(FORTRAN) > 20
    assert len(PYTHON) > 10


def test_fortran_layers():
    assert not complaints(rules.fortran_uses, FORTRAN, HOME)


@pytest.mark.parametrize("rule", [rules.fortran_words, rules.fortran_module,
                                  rules.fortran_procedures])
def test_fortran(rule):
    assert not complaints(rule, FORTRAN)


@pytest.mark.parametrize("rule", [rules.python_imports, rules.python_procedures])
def test_python(rule):
    assert not complaints(rule, PYTHON)


def test_models_know_no_engine():
    models = {p: t for p, t in PYTHON.items() if p.startswith("pyfennix/models/")}
    assert not complaints(rules.model_words, models)


@pytest.mark.parametrize("rule", [rules.ceiling, rules.purpose])
def test_every_source(rule):
    assert not complaints(rule, SOURCES)


def test_nothing_private():
    assert not complaints(rules.private_places, FILES)


HEAD = "! SPDX-License-Identifier: MIT\n!> A room.\n"
BAD = {
    "arrow": (rules.fortran_uses, "fortran/base/a.f90", "use fennix_cell, only : cell_type"),
    "only": (rules.fortran_uses, "fortran/force/a.f90", "use fennix_cell"),
    "mpi": (rules.fortran_words, "fortran/force/a.f90", "use mpi_f08, only : mpi_comm"),
    "python": (rules.fortran_words, "fortran/force/a.f90", "call start_python()"),
    "stop": (rules.fortran_words, "fortran/force/a.f90", "if (x > 1) error stop 1"),
    "print": (rules.fortran_words, "fortran/force/a.f90", "write (*, *) x"),
    "goto": (rules.fortran_words, "fortran/force/a.f90", "goto 10"),
    "implicit": (rules.fortran_module, "fortran/force/a.f90", "module a\nprivate\ncontains"),
    "private": (rules.fortran_module, "fortran/force/a.f90", "module a\nimplicit none\ncontains"),
    "variable": (rules.fortran_module, "fortran/force/a.f90",
                 "module a\nimplicit none\nprivate\ninteger :: n\ncontains"),
    "long subroutine": (rules.fortran_procedures, "fortran/force/a.f90",
                        "pure subroutine a(x)\n" + "x = x\n" * 60 + "end subroutine a"),
    "long function": (rules.python_procedures, "pyfennix/a.py", "def a():\n" + "    x = 1\n" * 61),
    "import": (rules.python_imports, "pyfennix/models/a.py", "from pyfennix import simulation"),
    "relative import": (rules.python_imports, "pyfennix/models/a.py", "from ..host import x"),
    "extension": (rules.python_imports, "pyfennix/callback.py", "import pyfennix._core"),
    "model": (rules.model_words, "pyfennix/models/a.py", "if rank == 0:\n    pass\n"),
    "long file": (rules.ceiling, "pyfennix/a.py", "x = 1\n" * 301),
    "no purpose": (rules.purpose, "fortran/base/a.f90", "module a\n"),
    "no docstring": (rules.purpose, "pyfennix/a.py", "x = 1\n"),
    "private place": (rules.private_places, "a.md", "see " + "/" + "work/notes.md"),
}
GOOD = {
    "downward": (rules.fortran_uses, "fortran/force/a.f90", "use fennix_cell, only : cell_type"),
    "timer": (rules.fortran_words, "fortran/force/a.f90", "call timer%stop(1)  ! stop it"),
    "message": (rules.fortran_words, "fortran/force/a.f90", 'x = "print * under mpi in python"'),
    "constants": (rules.fortran_module, "fortran/force/a.f90",
                  "module a\nimplicit none\nprivate\ninteger, parameter :: n = 1\n"
                  "type :: t\ninteger :: k\nend type t\ncontains"),
    "purpose": (rules.purpose, "fortran/base/a.f90", HEAD),
    "relative": (rules.private_places, "a.md", "see ../shared/work/notes.md"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_caught(case):
    rule, path, text = BAD[case]
    arguments = ({"fennix_cell": "system"},) if rule is rules.fortran_uses else ()
    assert rule(path, text, *arguments)


@pytest.mark.parametrize("case", GOOD)
def test_a_good_file_passes(case):
    rule, path, text = GOOD[case]
    arguments = ({"fennix_cell": "system"},) if rule is rules.fortran_uses else ()
    assert not rule(path, text, *arguments)
