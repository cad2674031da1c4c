# SPDX-License-Identifier: MIT
"""The system of a distillation, from Tinker's files or any structure that ASE reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.simulation import Simulation

if TYPE_CHECKING:
    import ase

    from pyfennix.models.adapters.door import AnyModel


def read_system(name: str, model: AnyModel) -> ase.Atoms:
    """Elements, positions (Å), masses and cell.

    NAME and NAME.key are read by the engine itself, so that every rule of its input holds; its
    models and time steps do not matter here. A single structure file is read by ASE.

    Raises
    ------
    InputError
        When there is no such system; one sentence.
    """
    try:
        import ase
        import ase.io
    except ImportError:
        raise InputError("distilling needs ASE: pip install 'pyfennix[train]'") from None
    path = Path(name)
    key = path if path.suffix == ".key" else path.with_name(path.name + ".key")
    if key.is_file():
        sim = Simulation(key, accurate=model, fast=model, dt=1.0, substeps=1,
                         keywords={"integrator": "baoabrespa"}, ensemble="nvt")
        with sim:
            cell = sim.cell
            return ase.Atoms(sim.numbers, sim.positions, cell=cell, pbc=cell is not None,
                             masses=sim.masses)
    if not path.is_file():
        raise InputError(f"{name}: there is neither {key} nor a structure file of this name")
    try:
        atoms = ase.io.read(path)
    except Exception as error:  # ASE raises whatever its parsers meet
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: ASE cannot read it ({reason})") from None
    if atoms.pbc.any() and not atoms.pbc.all():
        raise InputError(f"{path}: the system must be periodic in all directions or in none")
    if np.isnan(atoms.positions).any():
        raise InputError(f"{path}: a position is not a number")
    return atoms
