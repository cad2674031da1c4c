# SPDX-License-Identifier: MIT
"""Any pyfennix model as an ASE calculator (needs ``pip install pyfennix[ase]``)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator as AseCalculator
from ase.calculators.calculator import all_changes

from pyfennix import units
from pyfennix.exceptions import InputError
from pyfennix.models.adapters.door import AnyModel
from pyfennix.models.evaluate import evaluate


class Calculator(AseCalculator):
    """Energy (eV), forces (eV/Å) and stress (eV/Å^3, Voigt) of a model.

    Parameters
    ----------
    model
        From ``load_model``, or any :class:`pyfennix.models.interface.Model` or
        :class:`pyfennix.models.total_energy.TotalEnergyModel`; what the latter lacks (energies of
        atoms, perhaps the stress) is not among the results.
    charge
        Total charge in e; None takes ``atoms.info["charge"]``, or 0.

    Raises
    ------
    InputError
        For atoms periodic along one or two directions only.
    ModelError
        When an element is unknown to the model.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "energies", "forces", "stress"]

    def __init__(self, model: AnyModel, charge: float | None = None, **keywords) -> None:
        super().__init__(**keywords)
        self.model, self.charge = model, charge

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        """Evaluate everything at once; ASE calls this when something changed."""
        super().calculate(atoms, properties, system_changes)
        atoms = self.atoms
        periodic = bool(atoms.pbc.any())
        if periodic and not atoms.pbc.all():
            raise InputError("atoms must be periodic along all three directions or none")
        charge = atoms.info.get("charge", 0.0) if self.charge is None else self.charge
        cell = np.array(atoms.cell) if periodic else None
        result = evaluate(self.model, atoms.numbers, atoms.positions, cell, float(charge))
        self.results = {
            "energy": result.energy / units.EV_IN_KCAL,
            "free_energy": result.energy / units.EV_IN_KCAL,
            "forces": result.forces / units.EV_IN_KCAL,
        }
        if result.atom_energies is not None:
            self.results["energies"] = result.atom_energies / units.EV_IN_KCAL
        if periodic and result.virial is not None:
            # the mean removes the rounding asymmetry; rows are xx yy zz yz xz xy
            stress = 0.5 * (result.virial + result.virial.T) / units.EV_IN_KCAL / atoms.get_volume()
            self.results["stress"] = stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
