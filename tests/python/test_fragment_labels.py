# SPDX-License-Identifier: MIT
"""Labels of fragments are those of the whole system, exactly with a margin of twice the range."""

from functools import cache

import numpy as np
import pytest
import torch
from helpers.chains import alkane, peptide
from helpers.configs import raster_config
from helpers.waters import cubic, waters
from hypothesis import given, settings
from hypothesis import strategies as st

import pyfennix as fx
from pyfennix import units
from pyfennix.exceptions import InputError, ModelError
from pyfennix.fragments.cut import cut_fragment, trim
from pyfennix.fragments.fragment import complaints
from pyfennix.fragments.label import exact_margin, label_fragment, label_region
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.total_energy import TotalEnergy, TotalEnergyModel


@cache
def raster(layers: int) -> FennixModel:
    """Random weights, float64: every part of FeNNix-Bio1, composition and charge included."""
    torch.manual_seed(1)
    made = FennixModel(raster_config(layers))
    for parameter in made.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return made.to(torch.float64).requires_grad_(False).eval()


class Pairs(fx.Model):
    """Two layers in atomic units: densities of neighbours' densities."""

    cutoff = 2.5 / units.BOHR_IN_ANGSTROM
    interaction_range = 5.0 / units.BOHR_IN_ANGSTROM
    energy_unit = "Ha"
    length_unit = "bohr"
    dtype = torch.float64

    def forward(self, graph):
        weight = (1 - graph.distances / self.cutoff) ** 3
        charge = graph.numbers.to(weight.dtype)
        density = graph.sum_neighbors(weight * charge[graph.neighbor])
        padded = torch.cat([density, density.new_zeros(graph.n_total - graph.n_center)])
        return 1e-2 * graph.sum_neighbors(weight * padded[graph.neighbor]) * density


def whole(model, numbers, positions, cell, charge=0.0):
    """Atom energies (eV) and forces (eV/Å) of the system, the way everything else gets them."""
    found = fx.evaluate(model, numbers, positions, cell, charge)
    return found.atom_energies / units.EV_IN_KCAL, found.forces / units.EV_IN_KCAL


def check_exact(model, numbers, positions, cell, center, radius, charge=0.0, tolerance=1e-9):
    found = label_region(model, numbers, positions, cell, center, radius, charge=charge)
    energies, forces = whole(model, numbers, positions, cell, charge)
    inner, source = found.fragment.inner, found.fragment.source
    assert found.exact
    assert inner.any()
    assert abs(found.forces[inner] - forces[source[inner]]).max() < tolerance
    assert abs(found.atom_energies[inner] - energies[source[inner]]).max() < tolerance
    assert found.energy == pytest.approx(energies[source[inner]].sum(), abs=tolerance * inner.sum())
    assert abs(forces[source[inner]]).max() > 1e5 * tolerance
    np.testing.assert_array_equal(found.weight, inner)
    assert not found.forces[~inner].any()
    assert not found.atom_energies[~inner].any()
    return found


@st.composite
def boxes(draw):
    """One to four waters in a cell of any shape, far smaller than the sphere."""
    count = draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cell = np.diag(random.uniform(0.8, 1.2, 3)) + random.uniform(-0.2, 0.2, (3, 3))
    cell *= (count * 29.99 / abs(np.linalg.det(cell))) ** (1.0 / 3.0)
    numbers, positions = waters(cell, (count, 1, 1), int(random.integers(1000)))
    return numbers, positions + random.integers(-2, 3, positions.shape) @ cell, cell, count


@given(boxes(), st.sampled_from([1, 2]), st.floats(0.0, 2.5), st.integers(-1, 2))
@settings(max_examples=12, deadline=None)
def test_any_box_of_water(box, layers, radius, charge):
    numbers, positions, cell, count = box
    check_exact(raster(layers), numbers, positions, cell, 3 * count - 3, radius, float(charge))


def test_groups_and_units():
    numbers, positions = waters(cubic(64), (4, 4, 4))
    found = check_exact(Pairs(), numbers, positions, cubic(64), [30, 33, 36], 1.5)
    assert found.fragment.margin == pytest.approx(10.0)
    assert len(found.fragment) > 2 * len(numbers)  # images are atoms of their own


def test_float32():
    model = fx.load_model("water-fast")
    numbers, positions = waters(cubic(64), (4, 4, 4))
    check_exact(model, numbers, positions, cubic(64), 0, 2.0, tolerance=1e-5)


@pytest.mark.parametrize("native", [True, False])
def test_shipped_models(native):
    numbers, positions = waters(cubic(12), (3, 2, 2))
    for name in ("water-fast", "water-accurate"):
        model = fx.load_model(name, dtype="float64")
        model.native = native
        check_exact(model, numbers, positions, cubic(12), 0, 2.0)


@pytest.mark.parametrize("make", [lambda: peptide(24)[:2], lambda: alkane(70)])
def test_caps_lie_out_of_reach(make):
    """A long molecule is cut, and the labels in the middle do not notice."""
    numbers, positions = make()
    found = check_exact(raster(1), numbers, positions, None, len(numbers) // 4, 2.0, 1.0)
    assert len(found.fragment.caps)
    assert complaints(found.fragment) == []
    assert len(found.fragment) < 0.6 * len(numbers)


def test_a_smaller_margin_is_approximate_and_a_larger_one_better():
    numbers, positions, _ = peptide(24)
    model = raster(1)
    _, forces = whole(model, numbers, positions, None)
    error = []
    for margin in (0.5, 3.0, 4.5, 9.0):
        found = label_region(model, numbers, positions, None, 120, 2.0, margin)
        inner = found.fragment.inner
        error.append(abs(found.forces[inner] - forces[found.fragment.source[inner]]).max())
        assert found.exact == (margin >= 9.0)
    assert error[0] > error[1] > error[2] > 1e-7 > 1e-9 > error[3]


def test_an_isolated_molecule_that_fits_is_exact():
    numbers, positions = alkane(6)
    assert check_exact(raster(2), numbers, positions, None, 0, 99.0).fragment.margin == np.inf


def test_elements_of_caps_are_known_to_the_model():
    """A perfluoroalkane has no hydrogen: caps bring it."""
    numbers, positions = alkane(30)
    between = np.linalg.norm(positions[30:, None] - positions[None, :30], axis=2)
    own = positions[between.argmin(axis=1)]
    positions[30:] = own + (positions[30:] - own) * (1.35 / 1.09)
    numbers = np.where(numbers == 1, 9, 6)
    found = label_region(raster(1), numbers, positions, None, 15, 1.0, 2.0)
    assert 1 not in found.fragment.composition
    assert len(found.fragment.caps) == 2
    assert np.isfinite(found.forces).all()


def test_a_trimmed_fragment_serves_a_model_of_smaller_range():
    numbers, positions = waters(cubic(27), (3, 3, 3))
    accurate, fast = raster(2), raster(1)
    labels = label_region(accurate, numbers, positions, cubic(27), 0, 2.0)
    small = labels.trim(exact_margin(fast))
    assert len(small.fragment) < 0.5 * len(labels.fragment)
    inner = small.fragment.inner
    np.testing.assert_array_equal(small.forces[inner], labels.forces[labels.fragment.inner])
    assert small.energy == labels.energy
    assert small.weight.sum() == small.fragment.inner.sum() == labels.fragment.inner.sum()
    student = label_fragment(fast, small.fragment)
    _, forces = whole(fast, numbers, positions, cubic(27))
    assert abs(student.forces[inner] - forces[small.fragment.source[inner]]).max() < 1e-9
    with pytest.raises(ModelError, match=r"trimmed to 9.00 Å, but model .* needs 15.00 Å"):
        label_fragment(accurate, small.fragment)
    with pytest.raises(InputError, match="cannot be trimmed"):
        labels.trim(99.0)


class Springs(TotalEnergyModel):
    """Every pair on a spring that ends at 3 Å, and the charge that was given."""

    uses_total_charge = True

    def compute(self, numbers, positions, cell, charge, want_virial):
        self.charge = charge
        arms = positions[None] - positions[:, None]
        length = np.linalg.norm(arms, axis=2)
        pull = np.where(length < 3.0, (3.0 - length) ** 2, 0.0)
        slope = np.where((length > 0) & (length < 3.0), 2.0 * (3.0 - length), 0.0)
        forces = -(slope / np.maximum(length, 1e-9))[:, :, None] * arms
        return TotalEnergy(0.5 * pull.sum(), forces.sum(axis=1))


def test_total_energy_models():
    numbers, positions, _ = peptide(24)
    model = Springs()
    fragment = cut_fragment(numbers, positions, None, 120, 2.0, 4.0)
    assert len(fragment.caps)
    found = label_fragment(model, fragment, charge=-1.0)
    assert (model.charge, found.exact, found.energy, found.atom_energies) == (-1, False, None, None)
    own = model.compute(numbers, positions, None, 0.0, False).forces
    inner = fragment.inner
    np.testing.assert_allclose(found.forces[inner], own[fragment.source[inner]], atol=1e-12)
    assert abs(own[fragment.source[inner]]).max() > 0.1
    with pytest.raises(ModelError, match="charge of the fragment"):
        label_fragment(model, fragment)
    with pytest.raises(ModelError, match="not a trimmed one"):
        label_fragment(model, trim(fragment, 3.0), charge=0.0)
    with pytest.raises(ModelError, match="has no range"):
        exact_margin(model)


def test_unknown_elements_are_refused():
    numbers, positions = alkane(30)
    fragment = cut_fragment(numbers, positions, None, 15, 1.0, 2.0)
    with pytest.raises(ModelError, match="does not know element C"):
        label_fragment(fx.load_model("water-fast"), fragment)
