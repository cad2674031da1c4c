# SPDX-License-Identifier: MIT
"""The door of ASE: any calculator as a total-energy model."""

from __future__ import annotations

import numpy as np

from pyfennix.exceptions import ModelError
from pyfennix.models.adapters.door import Door
from pyfennix.models.total_energy import TotalEnergy, TotalEnergyModel


class AseModel(TotalEnergyModel):
    """Energy, forces and stress of an ASE calculator, which is used as it is and not copied.

    The calculator sees one Atoms object with numbers, positions, cell and periodicity, and the
    total charge of the run as ``atoms.info["charge"]``. Its energy is the one consistent with the
    forces (``free_energy``) when it tells the two apart.

    Raises
    ------
    ModelError
        When ASE is not installed.
    """

    uses_total_charge = True  # handed on; whether a calculator reads it cannot be known here

    def __init__(self, calculator: object) -> None:
        try:
            from ase import Atoms
        except ImportError:
            raise ModelError(
                "an ASE calculator needs ASE: install it with `pip install pyfennix[ase]`"
            ) from None
        self.calculator = calculator
        self.name = type(calculator).__name__
        known = getattr(calculator, "implemented_properties", None)
        if known is not None and "forces" not in known:
            raise ModelError(f"the ASE calculator {self.name} has no forces")
        self.gives_virial = known is None or "stress" in known
        self._free = known is not None and "free_energy" in known
        self._atoms_class = Atoms
        self._atoms = None

    @property
    def label(self) -> str:
        """``LennardJones (ASE calculator)``."""
        return f"{self.name} (ASE calculator)"

    def compute(self, numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray | None,
                charge: float, want_virial: bool) -> TotalEnergy:
        """Ask the calculator; an exception of its own becomes one sentence that names it."""
        atoms = self._place(numbers, positions, cell, charge)
        try:
            # Forces first: a calculator that computes what is asked has the energy along with them
            forces = np.array(atoms.get_forces(), np.float64)
            energy = atoms.get_potential_energy(force_consistent=self._free)
            stress = atoms.get_stress(voigt=False) if want_virial else None
        except ModelError:
            raise
        except Exception as error:
            text = " ".join(str(error).split()) or "without a text"
            raise ModelError(
                f"the ASE calculator {self.name} raised {type(error).__name__}: {text}"
            ) from error
        virial = None if stress is None else np.asarray(stress, np.float64) * atoms.get_volume()
        return TotalEnergy(energy, forces, virial)

    def _place(self, numbers, positions, cell, charge):
        """The Atoms at these positions; one object, so that calculators know what has changed."""
        atoms = self._atoms
        if atoms is None or not np.array_equal(atoms.numbers, numbers):
            atoms = self._atoms = self._atoms_class(numbers=np.array(numbers), pbc=cell is not None)
            atoms.calc = self.calculator
        atoms.positions[:] = positions
        atoms.pbc = cell is not None
        atoms.cell = np.zeros((3, 3)) if cell is None else np.array(cell)
        # Calculators that index a table by it want a whole number
        atoms.info["charge"] = int(charge) if float(charge).is_integer() else float(charge)
        return atoms


def is_calculator(thing: object) -> bool:
    """Whether an object is an ASE calculator; Atoms, which answer similar calls, are not."""
    answers = all(callable(getattr(thing, name, None))
                  for name in ("get_potential_energy", "get_forces"))
    return answers and not isinstance(thing, type) and not hasattr(thing, "positions")


DOOR = Door("an ASE calculator", takes=is_calculator, wrap=AseModel)
