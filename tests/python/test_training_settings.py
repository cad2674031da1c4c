# SPDX-License-Identifier: MIT
"""Settings of a training: mistakes are named, and nothing is ignored."""

import pytest
from helpers.labelled import settings_for

from pyfennix.exceptions import InputError
from pyfennix.training import trainer as engine
from pyfennix.training.settings import read_settings
from pyfennix.training.shapes import make_model


def test_settings_without_effect_are_refused(tmp_path):
    settings = settings_for(tmp_path)
    settings.loss.members = 1.0
    with pytest.raises(InputError, match="is no ensemble"):
        engine.train(settings, tmp_path / "a", quiet=True)
    settings = settings_for(tmp_path)
    settings.model.start = "water-fast"
    with pytest.raises(InputError, match="leave changes and elements out"):
        engine.train(settings, tmp_path / "b", quiet=True)
    settings = settings_for(tmp_path)
    settings.model.elements = ["O"]
    with pytest.raises(InputError, match="elements lacks H"):
        engine.train(settings, tmp_path / "c", quiet=True)
    settings = settings_for(tmp_path)
    settings.run.device = "gpu"
    with pytest.raises(InputError, match="device 'gpu' cannot be used"):
        engine.train(settings, tmp_path / "d", quiet=True)


@pytest.mark.parametrize(("text", "words"), [
    ("[modle]\n", r":1: section \[modle\] is unknown; did you mean model\?"),
    ("[model]\nshpe = 'fast'\n", r":2: shpe is no setting of \[model\]; did you mean shape\?"),
    ("[optimizer]\n\nsteps = 'x'\n", ":3: steps = 'x' is not a whole number"),
    ("[optimizer]\nsteps = 0\n", ":2: steps = 0 is not from 1"),
    ("[data]\ntrain = [1]\n", r":2: train = \[1\] is not a list"),
    ("[data]\n", "train names no file"),
    ("[data\n", "is not TOML"),
])
def test_mistakes_in_the_file_are_named(tmp_path, text, words):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(InputError, match=words):
        read_settings(tmp_path / "a.toml")


def test_an_unknown_shape_is_named():
    with pytest.raises(InputError, match="did you mean fast"):
        make_model("fats", (1, 8), {})
    with pytest.raises(InputError, match="did you mean channels"):
        make_model("fast", (1, 8), {"chanels": [1]})
