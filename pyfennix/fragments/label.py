# SPDX-License-Identifier: MIT
"""Labels of fragments by an accurate model: energies and forces of inner atoms in eV and Å."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pyfennix import units
from pyfennix.exceptions import ModelError
from pyfennix.fragments import cut
from pyfennix.fragments.fragment import Fragment
from pyfennix.fragments.molecules import Molecules
from pyfennix.models.evaluate import device_of, evaluate_topology
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model, check_elements
from pyfennix.models.pairs import build_pairs
from pyfennix.models.total_energy import TotalEnergyModel, evaluate_total

# Å added to ranges when atoms are chosen, so that rounding of a distance never decides
_SLACK = 1e-6


@dataclass(frozen=True, eq=False)
class Labels:
    """A labelled fragment, in eV and Å as training frames are.

    Attributes
    ----------
    fragment
        What was labelled.
    forces
        (n, 3) eV/Å; zero where ``weight`` is.
    weight
        (n,) of each atom's force in a loss: 1 for inner atoms, 0 for others.
    atom_energies
        (n,) eV of inner atoms, 0 for others; None by a total-energy model.
    energy
        The *inner energy*, eV: the sum of the inner atoms' energies. None by a total-energy model.
    exact
        Whether they are the whole system's labels to rounding.
    """

    fragment: Fragment
    forces: np.ndarray
    weight: np.ndarray
    atom_energies: np.ndarray | None
    energy: float | None
    exact: bool

    def trim(self, margin: float) -> Labels:
        """The same labels of inner atoms in a smaller surrounding, see ``trim`` of cut.py."""
        rows = np.flatnonzero(self.fragment.distance <= margin)
        atoms = self.atom_energies
        return Labels(
            cut.trim(self.fragment, margin), self.forces[rows], self.weight[rows],
            None if atoms is None else atoms[rows], self.energy, self.exact,
        )


def exact_margin(model: Model) -> float:
    """Å around inner atoms beyond which nothing changes their labels: twice the model's range.

    ModelError for a total-energy model, which has no range.
    """
    if isinstance(model, TotalEnergyModel):
        raise ModelError(f"model {model.name} returns a total energy and has no range: no margin "
                         "makes its labels exact")
    return 2.0 * model.halo * units.length_in_angstrom(model.length_unit)


def label_region(
    model: Model,
    numbers,
    positions,
    cell,
    center_atoms: int | Sequence[int] | np.ndarray,
    inner_radius: float,
    margin: float | None = None,
    bonds: Molecules | Sequence | np.ndarray | None = None,
    *,
    charge: float = 0.0,
    max_molecule: int = 60,
) -> Labels:
    """Cut a fragment and label it; without ``margin``, so that the labels are exact.

    Other arguments and what is raised are those of :func:`pyfennix.fragments.cut.cut_fragment`
    and :func:`label_fragment`.
    """
    margin = exact_margin(model) if margin is None else margin
    fragment = cut.cut_fragment(
        numbers, positions, cell, center_atoms, inner_radius, margin, bonds, charge=charge,
        max_molecule=max_molecule)
    return label_fragment(model, fragment)


def label_fragment(model: Model | TotalEnergyModel, fragment: Fragment,
                   charge: float | None = None) -> Labels:
    """Energies and forces of a fragment's inner atoms, in eV and eV/Å.

    Let R be the model's range. The force on an atom is the sum of -dE_k/dx over the atoms k within
    R of it, and E_k depends on what is within R of k. So only atoms within R of inner ones are
    *local* (their energies are summed), those within 2 R are ghosts, and of these the ones within
    R + ``center_halo`` have their neighbours listed: the arithmetic of a rank in a decomposed run.

    With a margin of 2 R (:func:`exact_margin`) nothing that was altered is within reach: labels are
    those of the whole system to rounding, and caps are not even looked at. With a smaller margin
    they are those of the capped fragment in vacuum, cheaper and approximate. Either way a model
    that depends on the composition and charge of the whole system gets these.

    A total-energy model is given the complete, capped fragment as an isolated molecule; forces are
    approximate, and there are no energies since its energy cannot be divided.

    Parameters
    ----------
    model
        float32 or float64, on any device.
    fragment
        Of :func:`pyfennix.fragments.cut.cut_fragment`.
    charge
        Of the fragment itself, e; only for total-energy models.

    Raises
    ------
    ModelError
        When the model does not know an element or its result is unusable; when a trimmed fragment
        is too small for the model; when a total-energy model needs a charge that is not given.
    """
    if isinstance(model, TotalEnergyModel):
        return _label_whole(model, fragment, charge)
    length = units.length_in_angstrom(model.length_unit)
    reach, center = model.halo * length, model.center_halo * length
    exact = bool(fragment.margin >= 2.0 * reach - _SLACK)
    if not (exact or fragment.complete):
        raise ModelError(f"the fragment was trimmed to {fragment.margin:.2f} Å, but model "
                         f"{model.name} needs {2.0 * reach:.2f} Å around inner atoms")
    order = np.argsort(fragment.distance, kind="stable")
    limits = np.array([reach, reach + center, 2.0 * reach]) + _SLACK
    sizes = np.searchsorted(fragment.distance[order], limits, side="right").tolist()
    rows = order[: sizes[2]]
    check_elements(model, fragment.numbers[rows])
    place = fragment.positions[rows] / length
    topology = _topology(model, fragment, rows, place, sizes)
    result = evaluate_topology(
        model, topology, torch.as_tensor(place, device=device_of(model)), None, want_virial=False)
    energy = units.energy_in_kcal(model.energy_unit) / units.EV_IN_KCAL
    forces, atoms = np.zeros((len(fragment), 3)), np.zeros(len(fragment))
    forces[rows] = result.forces.cpu().numpy() * (energy / length)
    local = rows[: sizes[0]]
    atoms[local] = result.atom_energies[: sizes[0]].double().cpu().numpy() * energy
    weight = fragment.inner.astype(np.float64)
    atoms *= weight
    return Labels(fragment, forces * weight[:, None], weight, atoms, float(atoms.sum()), exact)


def _topology(model: Model, fragment: Fragment, rows, place, sizes: list[int]) -> Topology:
    """What the model sees: local atoms, centers and all, which are ``sizes`` of the rows."""
    n_local, n_center, n_total = sizes
    first, neighbor, shift = build_pairs(place, None, model.cutoff)
    first = first[: n_center + 1]
    edges = first[-1]
    numbers = fragment.numbers[rows]
    composition = dict(fragment.composition)
    if (added := int((fragment.source[rows] < 0).sum())) and 1 not in composition:
        composition[1] = added
    return Topology.from_csr(numbers, first, neighbor[:edges], shift[:edges], n_local, n_center,
                             n_total, composition, fragment.total_charge,
                             device=device_of(model))


def _label_whole(model: TotalEnergyModel, fragment: Fragment, charge: float | None) -> Labels:
    """Labels by a model that returns the total energy of an isolated molecule."""
    if not fragment.complete:
        raise ModelError(f"model {model.name} returns a total energy: it needs a fragment of whole "
                         "or capped molecules, not a trimmed one")
    if charge is None and model.uses_total_charge:
        raise ModelError(f"model {model.name} needs the charge of the fragment itself")
    check_elements(model, fragment.numbers)
    found = evaluate_total(model, fragment.numbers, fragment.positions, None, charge or 0.0,
                           want_virial=False)
    energy = units.energy_in_kcal(model.energy_unit) / units.EV_IN_KCAL
    weight = fragment.inner.astype(np.float64)
    exact = bool(np.isinf(fragment.margin))
    return Labels(fragment, found.forces * energy * weight[:, None], weight, None, None, exact)
