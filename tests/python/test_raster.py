# SPDX-License-Identifier: MIT
"""Parts of RASTER models against their definitions."""

import numpy as np
import pytest
import torch
from helpers.shared import shared
from helpers.waters import cubic, waters

from pyfennix.exceptions import ModelError
from pyfennix.models.evaluate import evaluate
from pyfennix.models.fnx.basis import (
    bessel_basis,
    cosine_ramp,
    l_of_component,
    polynomial_switch,
    spherical_harmonics,
)
from pyfennix.models.fnx.elements import block_of, covalent_radii, electronic_structure
from pyfennix.models.fnx.nlh import parse, published
from pyfennix.models.fnx.repulsion import RepulsionZBL
from pyfennix.models.raster import attention
from pyfennix.models.registry import load_model


def test_element_tables_are_fennols():
    table = np.load(shared("reference", "tables.npz"))
    numbers = range(1, 87)
    encoding = table["species_encoding_electronic_structure_zmax86"][1:87]
    assert np.array_equal(electronic_structure(numbers), encoding.astype(np.float64))
    assert covalent_radii(numbers) == pytest.approx(table["d3_cov_radii_A"][1:87])
    names = table["block_names"]
    assert [block_of(z) for z in numbers] == [
        str(names[table["block_index_of_Z"][z]]) for z in numbers
    ]


def test_elements_beyond_the_tables_are_refused():
    with pytest.raises(ModelError, match="Z = 92"):
        electronic_structure([92])


def test_nlh_coefficients_are_the_published_ones():
    table = np.load(shared("reference", "tables.npz"))
    a, b = published()
    assert a.dtype == b.dtype == np.float32
    assert np.array_equal(a, table["nlh_a"])
    assert np.array_equal(b, table["nlh_b_invA"])


def test_nlh_screening_is_one_at_the_nucleus_and_the_same_both_ways():
    a, b = published()
    assert np.abs(a[1:, 1:].sum(2) - 1.0).max() < 2e-5
    assert np.array_equal(a, a.transpose(1, 0, 2))
    assert np.array_equal(b, b.transpose(1, 0, 2))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "Z = 1 with Z = 1"),
        ("1 1 one 2", "line 1"),
        ("1 1 0.5", "line 1"),
        ("2 1 1 3", "line 1 is for no pair"),
        ("1 93 1 3", "line 1 is for no pair"),
        ("1 1 0.5 3", "Z = 1 with Z = 1"),
        ("1 1 1 nan", "Z = 1 with Z = 1"),
        ("1 1 1 -3", "Z = 1 with Z = 1"),
    ],
)
def test_nlh_refuses_a_spoilt_table(text, complaint):
    with pytest.raises(ModelError, match=complaint):
        parse(text)


def test_encoding_counts_the_electrons():
    capacity = np.array([2, 2, 6, 2, 6, 2, 10, 6, 2, 10, 6, 2, 14, 10, 6])
    for z in range(1, 87):
        electrons = float(electronic_structure([z])[0, 1:16] @ capacity)
        # FeNNol's irregular rows: lutetium counts one 5d electron too many, hafnium none at all
        assert electrons == pytest.approx({71: 72, 72: 0}.get(z, z), abs=1e-5)


@pytest.mark.parametrize("lmax", [0, 1, 2, 3])
def test_harmonics_are_orthonormal_per_degree(lmax):
    unit = torch.nn.functional.normalize(torch.randn(3, 50, dtype=torch.float64), dim=0)
    y = spherical_harmonics(unit, lmax)
    assert len(y) == len(l_of_component(lmax))
    for degree in range(lmax + 1):
        part = y[degree**2 : (degree + 1) ** 2]
        assert torch.allclose((part**2).sum(0), torch.full((50,), 2.0 * degree + 1).double())
        # addition theorem: products depend on the angle only, as Legendre polynomials
        cosine = unit.T @ unit
        legendre = [torch.ones_like(cosine), cosine, 1.5 * cosine**2 - 0.5,
                    2.5 * cosine**3 - 1.5 * cosine][degree]
        assert torch.allclose(part.T @ part, (2 * degree + 1) * legendre)


def test_radial_functions_at_their_ends():
    d = torch.tensor([1e-3, 1.0, 3.5], dtype=torch.float64)
    assert bessel_basis(d, 3.5, 8).shape == (8, 3)
    assert torch.allclose(bessel_basis(d, 3.5, 8)[:, 2], torch.zeros(8).double(), atol=1e-15)
    assert cosine_ramp(d, 0.5, 1.0).tolist() == pytest.approx([0.0, 0.5, 1.0])
    u = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
    switch = polynomial_switch(u, 3.7)
    assert switch.tolist() == pytest.approx([1.0, 0.0], abs=1e-12)
    (slope,) = torch.autograd.grad(switch.sum(), u)
    assert slope.tolist() == pytest.approx([0.0, 0.0], abs=1e-12)


def test_attention_in_blocks_is_the_plain_product_twice_differentiated(monkeypatch):
    monkeypatch.setattr(attention, "_BLOCK", 24)
    torch.manual_seed(0)
    q, k, w = (torch.randn(*s, dtype=torch.float64, requires_grad=True)
               for s in ((5, 3, 4), (6, 3, 4), (11, 4)))
    i, j = torch.randint(0, 5, (11,)), torch.randint(0, 6, (11,))

    def logits(q, k, w):
        return attention.attention_logits(q, k, w, i, j)

    assert torch.allclose(logits(q, k, w), (q[i] * k[j] * w[:, None]).sum(2))
    assert torch.autograd.gradcheck(logits, (q, k, w))
    assert torch.autograd.gradgradcheck(logits, (q, k, w))


def test_zbl_is_the_published_function():
    pairs = ([0, 0, 1, 1], [0, 1, 0, 1])
    table = RepulsionZBL().table([1, 8], pairs, torch.zeros(1, dtype=torch.float64))
    x = 1.0 * (1 + 8**0.23) / 0.46850
    phi = (0.18175 * np.exp(-3.1998 * x) + 0.50986 * np.exp(-0.94229 * x)
           + 0.28022 * np.exp(-0.4029 * x) + 0.02817 * np.exp(-0.20162 * x))
    value = float((table["scale"][1] * torch.exp(-table["rate"][1])).sum())
    assert value == pytest.approx(0.5 * 8 * 14.399645 * phi, rel=1e-6)


@pytest.mark.parametrize("name", ["water-accurate", "water-fast"])
def test_single_precision_follows_double(name):
    numbers, positions = waters(cubic(8), (2, 2, 2))
    single = evaluate(load_model(name, "float32"), numbers, positions, cubic(8))
    double = evaluate(load_model(name, "float64"), numbers, positions, cubic(8))
    scale = np.abs(double.forces).max()
    assert np.abs(single.forces - double.forces).max() < 2e-4 * scale
    assert abs(single.energy - double.energy) < 1e-3 * len(numbers)


def test_static_part_follows_weights_and_composition():
    model = load_model("water-accurate", "float64")
    numbers, positions = waters(cubic(8), (2, 2, 2))
    before = evaluate(model, numbers, positions, cubic(8)).energy
    with torch.no_grad():
        model.parts["embedding"].keys_0.kernel.mul_(1.1)
    changed = evaluate(model, numbers, positions, cubic(8)).energy
    assert abs(changed - before) > 1e-3
    with torch.no_grad():
        model.parts["embedding"].keys_0.kernel.div_(1.1)
    lone = evaluate(model, [8], [[0.0, 0, 0]])
    assert np.isfinite(lone.energy)
    assert evaluate(model, numbers, positions, cubic(8)).energy == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize("name", ["water-accurate", "water-fast"])
def test_close_atoms_repel(name):
    """No hole behind the repulsive wall: energies rise towards every contact."""
    model = load_model(name, "float64")
    for pair in ([1, 1], [1, 8], [8, 8]):
        energies = [evaluate(model, pair, [[0.0, 0, 0], [0, 0, d]]).energy
                    for d in (0.3, 0.4, 0.5)]
        assert energies[0] > energies[1] > energies[2]
