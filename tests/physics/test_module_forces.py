# SPDX-License-Identifier: MIT
"""Forces and virial of every module with geometry against differences of energies.

Small models with random weights in the shapes of FeNNix-Bio1 and ANI, each repulsion alone, in
float64, with torch's operations and with the compiled kernels.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers.fennix_shapes import random_model, shape

import pyfennix
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.graph import Topology

pytestmark = pytest.mark.physics

KINDS = ("M", "S", "distilled", "ANI", "NLH", "ZBL")
SKEWED = np.array([[4.3, 0.0, 0.0], [0.7, 4.1, 0.0], [-0.6, 0.4, 4.5]])
ELEMENTS = {"ANI": [6, 1, 8, 7], "ZBL": [8, 1, 8, 1]}
CHARGE = 1.0  # counts where there are charge hypotheses
STEPS = (4e-5, 2e-5)  # Å


@pytest.fixture(scope="module", params=[(kind, native) for kind in KINDS
                                        for native in (False, True)],
                ids=lambda p: f"{p[0]}-{'kernels' if p[1] else 'torch'}")
def model(request, tmp_path_factory):
    """A model of each kind, on either path."""
    kind, native = request.param
    if kind in ("NLH", "ZBL"):
        net = repulsion(kind)
    else:
        net = random_model(tmp_path_factory.mktemp("models"), kind)
    net.native = native
    return kind, net.requires_grad_(False)


def repulsion(kind):
    """The repulsion alone, with a switch that begins early enough to matter."""
    entry = {"module_name": "repulsion_nlh"} if kind == "NLH" else \
        {"module_name": "pyfennix_zbl", "p": 6.0, "ranges": [[1, 1, 2.5], [1, 8, 3.0], [8, 8, 3.4]]}
    config = shape("distilled") | {
        "modules": [["repulsion", entry | {"graph_key": "graph"}]], "energy_terms": ["repulsion"],
    }
    return FennixModel(config, elements=(1, 8) if kind == "ZBL" else None).double()


def scattered(n, edge, closest, seed=1):
    """(n, 3) random positions in a cube that come no closer than this, Å."""
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < n:
        trial = rng.uniform(0.0, edge, 3)
        if all(np.linalg.norm(trial - x) > closest for x in found):
            found.append(trial)
    return np.array(found)


def touching():
    """A molecule with one pair of atoms pushed to 0.5 Å, and another to 0.7 Å."""
    x = scattered(7, 4.0, 0.9)
    x[1] = x[0] + [0.3, 0.4, 0.0]
    x[3] = x[2] + [0.0, 0.0, 0.7]
    return x


def at_the_edges():
    """Pairs just inside and just outside every cutoff and ramp of the models."""
    places = [0.0]
    for edge in (1.75, 3.5, 5.2, 7.5):
        places += [edge - 1e-3, edge + 1e-3]
    x = np.zeros((len(places), 3))
    x[:, 0] = places
    x[1:, 1] = 1e-2 * np.arange(1, len(places))  # not all in one line
    x[2::2, 2] += 1.1  # the two of an edge apart from each other
    x[2::2, 0] = np.sqrt(x[2::2, 0] ** 2 - 1.1**2)
    return x


SYSTEMS = {
    "molecule": lambda: (scattered(9, 4.2, 0.9), None),
    "close contact": lambda: (touching(), None),
    "cutoff edges": lambda: (at_the_edges(), None),
    "self images": lambda: (scattered(5, 4.0, 1.0), SKEWED),
    "one atom and its images": lambda: (np.array([[0.3, -0.2, 9.1]]), 0.75 * SKEWED),
}


def system(kind, name):
    x, cell = SYSTEMS[name]()
    known = ELEMENTS.get(kind, [6, 1, 8, 7, 16, 15, 17, 11])
    return np.array([known[k % len(known)] for k in range(len(x))]), x, cell


def slope(net, numbers, h, change):
    """Central difference of the energy along change(±h) -> positions, cell."""
    one, two = (pyfennix.evaluate(net, numbers, *change(side), CHARGE).energy for side in (h, -h))
    return (one - two) / (2 * h)


@pytest.mark.parametrize("name", SYSTEMS)
def test_forces_are_minus_the_gradient(model, name):
    kind, net = model
    numbers, x, cell = system(kind, name)
    found = pyfennix.evaluate(net, numbers, x, cell, CHARGE)
    scale = max(np.abs(found.forces).max(), 1.0)
    assert np.abs(found.forces.sum(0)).max() < 1e-10 * scale
    rng = np.random.default_rng(3)
    for atom in range(len(x)):
        axis = rng.integers(3)
        for h in STEPS:
            def moved(side, atom=atom, axis=axis):
                y = x.copy()
                y[atom, axis] += side
                return y, cell

            numeric = slope(net, numbers, h, moved)
            assert abs(numeric + found.forces[atom, axis]) < 1e-7 * scale, (atom, axis, h)


@pytest.mark.parametrize("name", SYSTEMS)
def test_virial_is_the_strain_derivative(model, name):
    kind, net = model
    numbers, x, cell = system(kind, name)
    virial = pyfennix.evaluate(net, numbers, x, cell, CHARGE).virial
    scale = max(np.abs(virial).max(), 1.0)
    for a, b in ((0, 0), (1, 1), (2, 0), (1, 2)):
        def strained(side, a=a, b=b):
            strain = np.eye(3)
            strain[a, b] += side
            return x @ strain, None if cell is None else cell @ strain

        for h in (4e-6, 2e-6):
            assert abs(slope(net, numbers, h, strained) - virial[a, b]) < 2e-7 * scale, (a, b, h)


def test_no_atoms_of_a_system(model):
    """A part of a system may hold none of its atoms: no energies, no forces, no complaint."""
    kind, net = model
    z = ELEMENTS.get(kind, [6, 1])
    nobody = Topology.from_csr(np.zeros(0, int), [0], [], np.zeros((0, 3)), 0, 0, 0,
                               {z[0]: 2, z[1]: 1})
    found = evaluate_topology(net, nobody, torch.zeros((0, 3), dtype=torch.float64), None)
    assert float(found.energy) == 0.0
    assert found.forces.shape == (0, 3)
    assert not found.virial.any()


def test_nothing_to_feel(model):
    """One atom, atoms out of reach, no atom at all: a finite energy and no force."""
    kind, net = model
    z = ELEMENTS.get(kind, [6, 1])
    one = pyfennix.evaluate(net, z[:1], np.array([[1.0, 2.0, 3.0]]))
    other = pyfennix.evaluate(net, z[1:2], np.zeros((1, 3)))
    apart = pyfennix.evaluate(net, z[:2], np.array([[0.0, 0, 0], [60.0, 0, 0]]))
    nobody = pyfennix.evaluate(net, np.zeros(0, int), np.zeros((0, 3)))
    for found in (one, apart, nobody):
        assert np.isfinite(found.energy)
        assert not found.forces.any()
        assert not found.virial.any()
    assert nobody.energy == 0.0
    assert nobody.forces.shape == (0, 3)
    if not net.uses_total_charge:  # hypotheses share the charge out among all
        assert apart.energy == pytest.approx(one.energy + other.energy, rel=1e-12)
