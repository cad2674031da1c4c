# SPDX-License-Identifier: MIT
"""What a distillation is given: systems, models and settings, good and bad."""

import ase
import ase.io
import numpy as np
import pytest
from ase.calculators.calculator import Calculator
from helpers.labelled import QUICK, write_box
from helpers.runs import write_xyz
from helpers.waters import cubic, waters

import pyfennix as fx
from pyfennix.distillation.sampling import Sampler
from pyfennix.distillation.settings import DistillSettings
from pyfennix.distillation.systems import read_system
from pyfennix.exceptions import InputError, ModelError
from pyfennix.models.evaluate import evaluate
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.registry import load_model


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """A periodic box of eight waters."""
    path = tmp_path_factory.mktemp("box") / "water.extxyz"
    write_box(path)
    return path


def test_two_systems_need_two_names(box, tmp_path):
    other = tmp_path / "water.xyz"
    ase.io.write(other, ase.Atoms("OH2", [[0, 0, 0], [0.96, 0, 0], [0, 0.96, 0]]))
    with pytest.raises(InputError, match="two systems are called water"):
        fx.distill([box, other], "water-fast", tmp_path / "out", **QUICK)


def test_the_charge_is_the_system_s(tmp_path):
    ase.io.write(tmp_path / "ion.extxyz", ase.Atoms("OH", [[0, 0, 0], [0.97, 0, 0]],
                                                    info={"charge": -1.0}))
    assert read_system(str(tmp_path / "ion.extxyz")).info["charge"] == -1.0
    (tmp_path / "key.xyz").write_text("2 hydroxide\n1 O 0 0 0 1 2\n2 H 0.97 0 0 2 1\n")
    (tmp_path / "key.key").write_text("ml-model water-fast\nml-qtot -1\n")
    assert read_system(str(tmp_path / "key")).info["charge"] == -1.0


def test_reading_a_system_evaluates_no_model(tmp_path, monkeypatch):
    """It may be too big for that: fragments are for such systems."""
    numbers, positions = waters(cubic(8), (2, 2, 2), 1)
    write_xyz(tmp_path / "big.xyz", numbers, positions)
    (tmp_path / "big.key").write_text("ml-model water-accurate\na-axis 8\n")

    def evaluated(*_args):
        raise AssertionError("a model was evaluated")

    monkeypatch.setattr(FennixModel, "forward", evaluated)
    assert len(read_system(str(tmp_path / "big"))) == 24


def test_a_model_without_stress_can_be_distilled(box, tmp_path):
    """Many calculators of periodic systems have none."""
    model = load_model("water-fast")

    class Blind(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=(), system_changes=()):
            found = evaluate(model, atoms.numbers, atoms.positions, np.array(atoms.cell))
            self.results = {"energy": found.energy / fx.units.EV_IN_KCAL,
                            "forces": found.forces / fx.units.EV_IN_KCAL}

    settings = DistillSettings([str(box)], Blind(), tmp_path, **QUICK)
    sampler = Sampler(settings, read_system(str(box)), Blind(), "water")
    frames = sampler.single(300.0, 20.0)
    assert len(frames) == 20
    assert all(f.virial is None and f.forces is not None for f in frames)


@pytest.mark.parametrize(("changes", "words"), [
    ({"test": 1e-4}, "shorter than one outer step"),
    ({"shape": "fats"}, "--shape fats is unknown"),
    ({"start": "no.fnx"}, "does not exist"),
    ({"trajectory": "md.h5"}, "must be a list"),
    ({"threads": -1}, "--threads must not be negative"),
    ({"sample": -1.0}, "--sample must be positive"),
    ({"temperatures": []}, "--temperatures must be positive"),
    ({"repair": ["a.holes.h5"]}, "--repair needs --start"),
    ({"colour": 1}, "colour is no option"),
    ({"start": "water-fast", "changes": {"radial": 6}}, "sizes of water-fast.*cannot be changed"),
    ({"start": "water-fast", "shape": "raster-fast"}, "has its shape already"),
])
def test_settings_are_checked(box, tmp_path, changes, words):
    with pytest.raises(InputError, match=words):
        fx.distill(box, "water-fast", tmp_path / "out", **changes)


def test_systems_and_models_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="no system is named"):
        fx.distill([], "water-fast")
    with pytest.raises(InputError, match=r"there is neither .*nothing\.key"):
        fx.distill(tmp_path / "nothing", "water-fast", tmp_path / "out")
    with pytest.raises(ModelError, match="did you mean water-fast"):
        fx.distill(tmp_path / "nothing", "water-fats", tmp_path / "out")


def test_frames_to_select_depend_on_size():
    settings = DistillSettings(["x"], "y", "z")
    assert settings.frames_for(9) == 2000
    assert settings.frames_for(648) == 185
    assert settings.frames_for(100_000) == 150
