# SPDX-License-Identifier: MIT
"""What a Simulation tells of one moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Energy:
    """Energies in kcal/mol at an outer step, with on-step velocities.

    Attributes
    ----------
    potential
        Of the accurate model.
    kinetic, total
        Kinetic energy, and its sum with the potential energy.
    conserved
        Total energy less the heat that the thermostat brought; what must not drift.
    """

    potential: float
    kinetic: float
    total: float
    conserved: float


@dataclass(frozen=True)
class Frame:
    """A moment of a trajectory: copies, in Å, ps, Å/ps, kcal/mol, kcal/mol/Å and K.

    Attributes
    ----------
    step, time
        Outer step and time in ps.
    positions, velocities, forces
        (n, 3); positions are not wrapped into the cell.
    cell
        (3, 3), rows are lattice vectors; None for an isolated system.
    observables
        Everything that was measured, by name.
    """

    step: int
    time: float
    positions: np.ndarray
    velocities: np.ndarray
    forces: np.ndarray
    cell: np.ndarray | None
    energy: Energy
    temperature: float
    observables: dict[str, float]
