# SPDX-License-Identifier: MIT
"""The second kind of model: it returns the total energy of a whole system, forces and virial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyfennix.exceptions import ModelError


@dataclass
class TotalEnergy:
    """What a total-energy model returns, in eV and Å.

    Attributes
    ----------
    energy
        Of the whole system; forces are minus its gradient.
    forces
        (n, 3).
    virial
        (3, 3) dE/dstrain for r' = r (1 + strain), row vectors; None when it is not wanted, not
        known, or the system is isolated (it then follows from the forces).
    """

    energy: float
    forces: np.ndarray
    virial: np.ndarray | None = None


class TotalEnergyModel:
    """A potential that computes energy, forces and virial itself, of all atoms at once.

    Subclass it and write :meth:`compute`. Nothing is differentiated and no pair list is made, so
    such a model runs in one process only. A potential that can be written as one energy per atom
    is better a :class:`pyfennix.models.interface.Model`.

    Attributes
    ----------
    name, description
        Used in messages, and printed by ``pyfennix info``.
    energy_unit, length_unit
        Always eV and Å, as in ASE.
    elements
        Atomic numbers the model knows; None means all, or that only the model itself can tell.
    conservative
        Whether forces are minus the gradient of the energy.
    uses_total_charge
        Whether the charge given to :meth:`compute` matters; otherwise a run warns once.
    gives_virial
        Whether :meth:`compute` returns the virial of a periodic system; without it a run has no
        pressure.
    """

    name: str = "model"
    description: str = ""
    energy_unit: str = "eV"
    length_unit: str = "Å"
    elements: tuple[int, ...] | None = None
    conservative: bool = True
    uses_total_charge: bool = False
    gives_virial: bool = True

    def compute(self, numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray | None,
                charge: float, want_virial: bool) -> TotalEnergy:
        """Evaluate a whole system.

        Parameters
        ----------
        numbers, positions
            (n,) atomic numbers and (n, 3) Å, not wrapped into the cell; not to be written to.
        cell
            (3, 3) Å, rows are lattice vectors, periodic along all three; None if isolated.
        charge
            Total charge in e.
        want_virial
            Whether the virial of a periodic system will be used.
        """
        raise NotImplementedError

    @property
    def label(self) -> str:
        """What a log prints about the model."""
        return f"{self.name} (total energy)"


def evaluate_total(model: TotalEnergyModel, numbers: np.ndarray, positions: np.ndarray,
                   cell: np.ndarray | None, charge: float = 0.0,
                   want_virial: bool = True) -> TotalEnergy:
    """Evaluate a total-energy model and check its answer; arguments as in ``compute``.

    The virial is that of the forces for an isolated system, and None for a periodic one when it
    is not wanted or the model has none.

    Raises
    ------
    ModelError
        When the model returns something of a wrong kind or shape, or that is not finite.
    """
    ask = want_virial and cell is not None and model.gives_virial
    found = model.compute(numbers, positions, cell, charge, ask)
    if not isinstance(found, TotalEnergy):
        raise ModelError(
            f"model {model.name} returned {type(found).__name__}, expected a TotalEnergy"
        )
    energy = _finite(model, "an energy", found.energy, ())
    forces = _finite(model, "forces", found.forces, (len(numbers), 3))
    virial = None
    if ask and found.virial is None:
        raise ModelError(f"model {model.name} returned no virial, but declares that it gives one")
    if ask:
        virial = _finite(model, "a virial", found.virial, (3, 3))
    elif want_virial and cell is None:
        virial = -positions.T @ forces
    return TotalEnergy(float(energy), forces, virial)


def _finite(model: TotalEnergyModel, what: str, value: object, shape: tuple[int, ...]):
    """The value as a float64 array of this shape; refuses another one, and NaN."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"model {model.name} returned {what} that is no number") from None
    if array.shape != shape:
        raise ModelError(
            f"model {model.name} returned {what} of shape {array.shape}, expected {shape}"
        )
    if not np.isfinite(array).all():
        raise ModelError(f"model {model.name} returned {what} that is not finite")
    return array
