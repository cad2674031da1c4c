# SPDX-License-Identifier: MIT
"""Conversions at the edge between models (their own declared units) and the engine.

The engine works in kcal/mol and Å. The constants are FeNNol's, so that a ``.fnx`` model gives
FeNNol's numbers (Hartree and bohr in eV, kcal/mol and Å exactly as FeNNol defines them).
"""

from __future__ import annotations

from pyfennix.exceptions import ModelError

HARTREE_IN_KCAL = 627.5096080305927
HARTREE_IN_EV = 27.211386024367243
BOHR_IN_ANGSTROM = 0.52917721
EV_IN_KCAL = HARTREE_IN_KCAL / HARTREE_IN_EV
# kcal/mol/K: k and the Avogadro constant are exact (CODATA 2018), as in the engine
BOLTZMANN = 1.380649e-23 * 6.02214076e23 / 4184.0

_ENERGY_IN_KCAL = {
    "kcal/mol": 1.0,
    "ev": EV_IN_KCAL,
    "ha": HARTREE_IN_KCAL,
    "hartree": HARTREE_IN_KCAL,
    "kj/mol": 1.0 / 4.184,
    "kcalpermol": 1.0,
    "mev": 1e-3 * EV_IN_KCAL,
    "ry": HARTREE_IN_KCAL / 2.0,
    "cm-1": HARTREE_IN_KCAL / 219471.52,
}
_LENGTH_IN_ANGSTROM = {"å": 1.0, "a": 1.0, "ang": 1.0, "angstrom": 1.0, "bohr": BOHR_IN_ANGSTROM}


def energy_in_kcal(unit: str) -> float:
    """One ``unit`` of energy in kcal/mol; ModelError for a unit nobody knows."""
    return _look_up(_ENERGY_IN_KCAL, unit, "energy")


def length_in_angstrom(unit: str) -> float:
    """One ``unit`` of length in Å; ModelError for a unit nobody knows."""
    return _look_up(_LENGTH_IN_ANGSTROM, unit, "length")


def _look_up(table: dict[str, float], unit: str, what: str) -> float:
    # "Å" exists as two code points (letter and unit sign); casefold maps only the letter.
    key = unit.replace("\u212b", "\u00c5").casefold()
    if key not in table:
        raise ModelError(f"unknown unit of {what} {unit!r}: use one of {', '.join(table)}")
    return table[key]
