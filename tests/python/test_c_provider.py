"""The force seam is plain C: a provider without a line of Python behind it."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.runs import MASS, MODELS, reference

from pyfennix import seam
from pyfennix.engine import Engine
from pyfennix.exceptions import FennixError
from pyfennix.host import Attachment

KEYWORDS = "integrator verlet\nensemble nve\nml-model springs.py\ntimestep 1.0\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """tests/models/springs.c as a shared library."""
    compiler = shutil.which("cc")
    assert compiler, "a C compiler is a requirement"
    target = tmp_path_factory.mktemp("c") / "springs.so"
    source = MODELS / "springs.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", target, source], check=True)
    return ctypes.CDLL(str(target))


def engine(library, function):
    """An engine of some atoms whose forces come from a C function."""
    numbers, x, v, _ = reference()
    record = seam.ProviderRecord()
    record.version = seam.VERSION
    record.traits = seam.CONSERVATIVE
    record.force = ctypes.cast(getattr(library, function), ctypes.c_void_p).value
    record.message = ctypes.cast(library.message, ctypes.c_void_p).value
    record.cutoff = record.range = 3.0
    record.element[:] = [1] * len(record.element)
    record.label = b"springs in C"
    provider = SimpleNamespace(address=ctypes.addressof(record), label="springs in C",
                               failure=SimpleNamespace(take=lambda: None), record=record)
    made = Engine.from_arrays(["springs"], KEYWORDS, "", numbers, x, v, None, None)
    made.attach(Attachment([provider], None))
    return made


def test_springs_in_c_move_as_springs(library):
    """Energy and virial of the start, then 50 steps of velocity Verlet."""
    numbers, x, v, _ = reference()
    made = engine(library, "springs")
    made.prepare()
    assert made.observables()["potential_energy"] == pytest.approx((x * x).sum(), rel=1e-13)
    assert made.virial() == pytest.approx(2.0 * x.T @ x, rel=1e-12)
    mass = np.array([MASS[int(z)] for z in numbers])[:, None]
    h = 1.0e-3
    for _ in range(50):
        v = v - 0.5 * h * 2.0 * x * 418.4 / mass
        x = x + h * v
        v = v - 0.5 * h * 2.0 * x * 418.4 / mass
    made.run(50)
    assert np.abs(made.get("position") - x).max() < 1e-11
    assert np.abs(made.get("velocity") - v).max() < 1e-10


def test_a_failure_in_c_becomes_one_sentence(library):
    made = engine(library, "broken")
    with pytest.raises(FennixError, match="the spring is broken"):
        made.prepare()
