# SPDX-License-Identifier: MIT
"""The registry's doors: what a file may define, what an object may be."""

import ase
import numpy as np
import pytest
from ase.calculators.lj import LennardJones
from helpers.hydrogens import ACCURATE, hydrogens, make
from helpers.runs import MODELS

import pyfennix as fx
from pyfennix.models.adapters.door import Door
from pyfennix.models.registry import DOORS, as_model, split_name

SAMPLES = {
    "make_model": ("def make_model():\n    return Soft(3.0)\n\n\ndef other():\n    pass\n", ""),
    "class": ("", ""),
    "named": ("def other():\n    return Soft(3.0)\n", ":other"),
}


@pytest.mark.parametrize("case", SAMPLES)
def test_what_a_file_may_define(case, tmp_path):
    text, word = SAMPLES[case]
    path = tmp_path / "calc.py"
    path.write_text(
        "from ase.calculators.lj import LennardJones\n\n\n"
        "class Soft(LennardJones):\n"
        "    def __init__(self, sigma=1.0):\n"
        "        super().__init__(sigma=sigma)\n\n\n" + text
    )
    model = fx.load_model(f"{path}{word}")
    assert isinstance(model, fx.TotalEnergyModel)
    assert model.name == "Soft"
    assert model.calculator.parameters.sigma == (1.0 if case == "class" else 3.0)


@pytest.mark.parametrize(("text", "word", "complaint"), [
    ("def f():\n    return 3\n", ":f", "calc.py:f gave int, expected"),
    ("def f():\n    return 1 / 0\n", ":f", r"calc.py:f raised ZeroDivisionError.*line 2"),
    ("def f(x):\n    return x\n", ":f", "missing 1 required positional argument"),
    ("def f():\n    pass\n", "", "expected one subclass of pyfennix.Model or a function"),
    ("x = 1\n", ":x", "no model class or function x, only none"),
])
def test_what_a_file_may_not_define(text, word, complaint, tmp_path):
    path = tmp_path / "calc.py"
    path.write_text(text)
    with pytest.raises(fx.ModelError, match=complaint) as caught:
        fx.load_model(f"{path}{word}")
    assert "\n" not in str(caught.value)


def test_objects_that_are_no_model():
    for thing in (3.0, ase.Atoms("H"), LennardJones):
        with pytest.raises(fx.ModelError, match="is no model: expected"):
            fx.load_model(thing)
        with pytest.raises(fx.ModelError, match="is no model"):
            make(accurate=thing)


def test_model_objects_are_copied():
    model = fx.load_model(ACCURATE)
    again = fx.load_model(model, dtype="float64")
    assert again is not model
    assert str(model.dtype) == "torch.float32"


class Well(fx.TotalEnergyModel):
    """A harmonic well about the origin, for one of one's own."""

    name = "well"
    elements = (1,)

    def compute(self, numbers, positions, cell, charge, want_virial):
        return fx.TotalEnergy(0.5 * (positions**2).sum(), -positions)


def test_a_total_energy_model_of_ones_own():
    atoms = hydrogens()
    atoms.pbc = False
    with make(atoms, Well(), dt=0.2, ensemble="nve") as sim:
        start = sim.energy.total
        sim.run(50)
        assert sim.energy.total == pytest.approx(start, rel=1e-4)
    with pytest.raises(fx.ModelError, match="element O"):
        fx.evaluate(Well(), [8], np.zeros((1, 3)))
    with pytest.raises(fx.ModelError, match="declares that it gives one"):
        fx.evaluate(Well(), [1], np.zeros((1, 3)), np.eye(3) * 4.0)


def test_the_table_of_doors():
    """Every door opens for something, and no suffix leads to two of them."""
    suffixes = [suffix for door in DOORS for suffix in door.suffixes]
    assert len(suffixes) == len(set(suffixes))
    for door in DOORS:
        assert isinstance(door, Door)
        assert bool(door.suffixes) == (door.load is not None)
        assert door.load or door.wrap
    assert split_name("a/b.py:Class") == ("a/b.py", "Class")
    assert split_name("b.fnx") == ("b.fnx", "")
    assert split_name("water-fast") == ("water-fast", "")
    path = MODELS.parents[1] / "pyfennix" / "weights" / "water-fast.fnx"
    with pytest.raises(fx.ModelError, match="holds one model"):
        fx.load_model(f"{path}:water")
    assert as_model(model := Well()) is model
