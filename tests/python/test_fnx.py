# SPDX-License-Identifier: MIT
"""The .fnx format: round trips, and hostile or damaged files."""

import tempfile
from pathlib import Path

import msgpack
import numpy as np
import pytest
import torch
from helpers.configs import raster_config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyfennix import units
from pyfennix.exceptions import ModelError
from pyfennix.io.fnx import flatten, nest, read_fnx, read_tree, write_tree
from pyfennix.models.evaluate import evaluate
from pyfennix.models.fnx.checkpoint import load_fnx, save_fnx
from pyfennix.models.fnx.layers import Dense
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.registry import WEIGHTS, load_model
from pyfennix.training.shapes import make_model

SHIPPED = WEIGHTS / "water-accurate.fnx"


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
    model = make_model("raster-fast", (1, 8), {})
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
        msgpack.packb({"modules": [], "preprocessing": [], "variables": {}, "cutoff": True}),
        msgpack.packb({"modules": [], "preprocessing": [], "variables": 3, "cutoff": 5.0}),
        b"\x82\xa1a\x01\xa1a\x02",  # the same name twice
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
    """The shipped accurate model with its description changed."""
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
        (lambda t: module(t, "embedding").update(dim="wide"), "dim = 'wide' is not a whole"),
        (lambda t: module(t, "embedding").update(dim=1 << 40), "dim = .* is not from 1 to"),
        (lambda t: module(t, "embedding").update(dim=60000), "more parameters than the 143913"),
        (lambda t: module(t, "embedding").update(lmax=7), "'embedding' .*lmax = 7 .*from 0 to 3"),
        (lambda t: module(t, "embedding").update(nlayers=2.5), "nlayers = 2.5 is not a whole"),
        (lambda t: module(t, "embedding").update(edge_value=True),
         "module 'embedding' .raster.: edge_value = True is not supported: use False"),
        (lambda t: module(t, "embedding").update(shiny=1),
         "module 'embedding' .raster.: setting 'shiny' is not supported: supported are .*dim"),
        (lambda t: module(t, "embedding").update(graph_key="far"), "graph 'far', which does not"),
        (lambda t: module(t, "embedding").update(radial_basis={"basis": "gaussian", "dim": 8}),
         "basis = 'gaussian' is not supported: use 'bessel'"),
        (lambda t: module(t, "embedding").pop("species_encoding"), "species_encoding is missing"),
        (lambda t: t.update(energy_terms=["nothing"]), "written by no module"),
        (lambda t: t.update(energy_unit="calorie"), "unknown unit"),
        (lambda t: t["variables"]["params"].pop("nn_energies"), "is missing"),
        (lambda t: t["variables"]["params"].update(more={"a": np.zeros(1)}), "no module"),
        (lambda t: t["variables"]["params"]["nn_energies"]["H"]["Layer_1"].update(
            bias=np.full(48, np.nan, np.float32)), "nn_energies.H.Layer_1.bias' is not made of"),
        (lambda t: t["variables"]["params"]["nn_energies"]["H"]["Layer_1"].update(
            bias=np.zeros(48, bool)), "nn_energies.H.Layer_1.bias' is not made of"),
        (lambda t: t["variables"].update(state={"a": np.zeros(1)}), "variables hold 'state'"),
        (lambda t: t["modules"].append(t["modules"][-1]), "two modules are called 'repulsion'"),
        (lambda t: t["preprocessing"].append(["x", {"module_name": "ANGLES"}]), "angles"),
        (lambda t: t["preprocessing"].append(
            ["x", {"module_name": "GRAPH_FILTER", "cutoff": float("nan")}]),
         "cutoff = nan is not a positive"),
        (lambda t: t["preprocessing"].append(
            ["x", {"module_name": "GRAPH_FILTER", "cutoff": 99.0}]), "larger cutoff than 'graph'"),
        (lambda t: t["preprocessing"][0][1]["switch_params"].update(p=float("inf")),
         "p = inf is not a positive"),
        (lambda t: t["preprocessing"][0][1]["switch_params"].update(switch_type="linear"),
         "switch_type 'linear' is not supported: supported are"),
        (lambda t: t["modules"].append(["e", {"module_name": "scatter_system",
                                              "key": "nn_energies"}])
         or t.update(energy_terms=["e"]), "energy term 'e' is not one number per atom"),
        (lambda t: t.update(pyfennix={"tables": {"repulsion": {
            "elements": [1, 8], "a": np.ones((2, 2, 2)), "b": np.ones((2, 2, 2))}}})
         or module(t, "repulsion").update(module_name="repulsion_nlh"), "repulsion_nlh"),
        (lambda t: module(t, "nn_energies").update(activation="tahn"), "activation 'tahn'"),
        (lambda t: module(t, "repulsion").update(p=-4), "p = -4 is not a positive number"),
        (lambda t: module(t, "repulsion").update(ranges="abc"), "ranges is not a list"),
        (lambda t: module(t, "repulsion").update(ranges=[[1, 8, 0.0]]), "ranges is not a list"),
        (lambda t: module(t, "embedding").update(graph_lode=["graph"]), "is not a text"),
        (lambda t: t["variables"]["params"]["graph_embed_Filter_graph"]["SwitchFunction_0"].update(
            p=np.float32(-3)), "a switch's exponent, is -3, not positive"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(edit, text, tmp_path):
    with pytest.raises(ModelError, match=text) as caught:
        load_model(change(tmp_path, edit))
    assert "edited.fnx" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parameters_in_double_precision_are_kept(tmp_path):
    def widen(tree):
        layer = tree["variables"]["params"]["nn_energies"]["H"]["Layer_1"]
        layer["kernel"] = layer["kernel"] + np.float64(1e-12)

    model = load_model(change(tmp_path, widen), "float64")
    plain = load_model("water-accurate", "float64")
    key = "parts.nn_energies.H.Layer_1.kernel"
    moved = dict(model.named_parameters())[key] - dict(plain.named_parameters())[key]
    assert float(moved.mean()) == pytest.approx(1e-12, rel=1e-3)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A checkpoint of a few kilobytes with every module, so that flips hit more than weights."""
    path = tmp_path_factory.mktemp("fnx") / "small.fnx"
    torch.manual_seed(0)
    save_fnx(path, FennixModel(raster_config(), blocks=("H", "O")))
    load_model(path)
    return path.read_bytes()


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.differing_executors])
@given(flips=st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, 255)),
                      min_size=1, max_size=4), head=st.booleans())
def test_damaged_bytes_give_a_sentence_or_a_model(small, flips, head):
    """Whatever is in a file, what comes back is a ModelError or a model that is one."""
    content = bytearray(small)
    # the description comes first and last in the file, the weights between
    size = small.index(b"variables") if head else len(small)
    for place, value in flips:
        content[place % size] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flipped.fnx"
        path.write_bytes(content)
        try:
            found = load_model(path)
        except ModelError as error:
            found = str(error)
    assert isinstance(found, FennixModel) or ("flipped.fnx" in found and "\n" not in found)


@pytest.mark.parametrize("unit", ["ev", "eV", "Ha", "HARTREE", "kcal/mol", "kcalpermol", "kJ/mol",
                                  "meV", "cm-1", "Ry"])
def test_units_of_energy(unit):
    """One hartree in the units that FeNNol knows, as FeNNol prints them."""
    hartree = {"ev": 27.211386024367243, "ha": 1.0, "hartree": 1.0, "kcal/mol": 627.5096080305927,
               "kcalpermol": 627.5096080305927, "kj/mol": 2625.5002, "mev": 27211.386024367242,
               "cm-1": 219471.52, "ry": 2.0}[unit.lower()]
    assert units.HARTREE_IN_KCAL / units.energy_in_kcal(unit) == pytest.approx(hartree, rel=1e-9)


def test_identifiers_by_fid_by_name_and_in_a_map(tmp_path):
    def rename(tree):
        for entry in tree["modules"]:
            entry[1]["FID"] = entry[1].pop("module_name").upper()
        entry = next(e for e in tree["modules"] if e[0] == "species_encoding")
        entry[1].pop("FID")

    numbers, positions = [8, 1, 1], [[0.0, 0, 0], [0.95, 0, 0], [-0.24, 0.92, 0]]
    plain = evaluate(load_model("water-accurate"), numbers, positions).energy
    path = change(tmp_path, rename)
    assert evaluate(load_model(path), numbers, positions).energy == plain
    # a map comes back in alphabetical order, which here is one of execution
    path = change(tmp_path, lambda t: t.update(preprocessing=dict(t["preprocessing"])))
    assert isinstance(read_tree(path)["preprocessing"], dict)
    assert evaluate(load_model(path), numbers, positions).energy == plain


def test_a_layer_beyond_reason_is_refused_before_it_is_made():
    with pytest.raises(ModelError, match=r"60000 x 60000 .* beyond reason"):
        Dense(60000, 60000)
