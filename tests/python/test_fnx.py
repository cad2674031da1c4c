# SPDX-License-Identifier: MIT
"""The .fnx format: round trips, and hostile or damaged files."""

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfennix.exceptions import ModelError
from pyfennix.io.fnx import flatten, nest, read_fnx, read_tree, write_tree
from pyfennix.models.fnx.checkpoint import load_fnx, save_fnx
from pyfennix.models.registry import WEIGHTS, load_model
from pyfennix.weights.architecture import water_model

SHIPPED = WEIGHTS / "water-fast.fnx"


def test_arrays_survive(tmp_path):
    tree = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": {"scalar": np.float32(2.5), "empty": np.zeros((0, 4)), "zero": np.array(7)},
        "list": [1, "two", None, 3.5, True],
    }
    write_tree(tmp_path / "t.fnx", tree)
    back = read_tree(tmp_path / "t.fnx")
    assert back["list"] == tree["list"]
    assert back["b"].dtype == np.float32
    assert np.array_equal(back["b"], tree["b"])
    assert back["a"]["empty"].shape == (0, 4)
    assert back["a"]["scalar"] == np.float32(2.5)
    assert back["a"]["zero"].shape == ()
    assert list(back) == sorted(back)


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(st.text("abc XYZ_", min_size=1, max_size=5),
                       st.integers(0, 5), min_size=1, max_size=5))
def test_flatten_and_nest_are_inverse(sizes):
    tree = {"outer": {key: np.zeros(n) for key, n in sizes.items()}}
    flat = flatten(tree)
    assert flatten(nest(flat)).keys() == flat.keys()


def test_a_model_survives(tmp_path):
    torch.manual_seed(0)
    model = water_model("fast")
    save_fnx(tmp_path / "m.fnx", model, {"seed": 0})
    back = load_fnx(tmp_path / "m.fnx")
    assert back.elements == model.elements
    for (name, a), (other, b) in zip(model.named_parameters(), back.named_parameters(),
                                     strict=True):
        assert name == other
        assert torch.equal(a, b)


def test_every_truncation_is_refused_with_one_sentence(tmp_path):
    content = SHIPPED.read_bytes()
    path = tmp_path / "cut.fnx"
    for size in (*range(0, 60, 7), len(content) // 3, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(ModelError, match=r"cut\.fnx") as caught:
            load_model(path)
        assert "\n" not in str(caught.value)


def array(shape, dtype, buffer):
    return msgpack.ExtType(1, msgpack.packb([shape, dtype, buffer]))


@pytest.mark.parametrize(
    "content",
    [
        b"hello, I am no model",
        b"\x80\x04\x95pickle",
        b"\xdf\xff\xff\xff\xff",  # a map that claims 4 thousand million entries
        b"\xc9\xff\xff\xff\xff\x01",  # an extension that claims 4 GB
        msgpack.packb({"a": array([1 << 40], "float32", b"1234")}),
        msgpack.packb({"a": array([-1], "float32", b"")}),
        msgpack.packb({"a": array([1], "object", b"12345678")}),
        msgpack.packb({"a": array([1], "float32", "text")}),
        msgpack.packb({"a": msgpack.ExtType(1, b"\xc1")}),
        msgpack.packb({"a": msgpack.ExtType(9, b"")}),
        msgpack.packb([1, 2, 3]),
        msgpack.packb({"modules": 3, "preprocessing": [], "variables": {}}),
        msgpack.packb({"modules": [], "preprocessing": [], "variables": {}, "cutoff": "far"}),
        b"\x91" * 3000,
    ],
)
def test_hostile_files_are_refused(content, tmp_path):
    path = tmp_path / "bad.fnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.fnx") as caught:
        load_fnx(path)
    assert "\n" not in str(caught.value)


def test_pickles_are_refused_unread(tmp_path):
    (tmp_path / "m.pkl").write_bytes(b"whatever")
    with pytest.raises(ModelError, match="any code"):
        read_fnx(tmp_path / "m.pkl")


def change(tmp_path, edit):
    """The shipped fast model with its description changed."""
    tree = read_tree(SHIPPED)
    edit(tree)
    path = tmp_path / "edited.fnx"
    write_tree(path, tree)
    return path


def module(tree, name):
    return next(params for entry, params in tree["modules"] if entry == name)


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (lambda t: module(t, "embedding").update(module_name="CRATE"), "'CRATE' is not supported"),
        (lambda t: module(t, "embedding").update(dim=32), "has shape"),
        (lambda t: module(t, "embedding").update(dim="wide"), "unusable"),
        (lambda t: module(t, "embedding").pop("species_encoding"), "unusable"),
        (lambda t: t.update(energy_terms=["nothing"]), "written by no module"),
        (lambda t: t.update(energy_unit="calorie"), "unknown unit"),
        (lambda t: t["variables"]["params"].pop("nn_energies"), "is missing"),
        (lambda t: t["variables"]["params"].update(more={"a": np.zeros(1)}), "no module"),
        (lambda t: t["preprocessing"].append(["x", {"module_name": "ANGLES"}]), "angles"),
        (lambda t: module(t, "repulsion").update(module_name="repulsion_nlh"), "table"),
        (lambda t: module(t, "nn_energies").update(activation="tanh"), "tanh"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(edit, text, tmp_path):
    with pytest.raises(ModelError, match=text) as caught:
        load_model(change(tmp_path, edit))
    assert "edited.fnx" in str(caught.value)
    assert "\n" not in str(caught.value)
