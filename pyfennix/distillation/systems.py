# SPDX-License-Identifier: MIT
"""The systems of a distillation, from Tinker's files or any structure that ASE reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.simulation import Simulation

if TYPE_CHECKING:
    import ase

    from pyfennix.models.adapters.door import AnyModel

_SUFFIXES = (".key", ".xyz", ".extxyz", ".pdb", ".cif", ".traj", ".vasp", ".json")


def read_systems(names: Sequence[str], model: AnyModel) -> list[tuple[str, ase.Atoms]]:
    """Short name and Atoms of each system.

    Raises
    ------
    InputError
        When there is no such system, or two have the same short name; one sentence.
    """
    found: dict[str, ase.Atoms] = {}
    for name in names:
        path = Path(name)
        short = path.stem if path.suffix in _SUFFIXES else path.name
        if short in found:
            raise InputError(f"two systems are called {short}: give one of the files another name")
        found[short] = read_system(name, model)
    return list(found.items())


def read_system(name: str, model: AnyModel) -> ase.Atoms:
    """Elements, positions (Å), masses and cell; ``info["charge"]`` is the total charge in e.

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
                             masses=sim.masses, info={"charge": _charge(key)})
    if not path.is_file():
        raise InputError(f"{name}: there is neither {key} nor a structure file of this name")
    try:
        atoms = ase.io.read(path)
    except Exception as error:  # ASE raises whatever its parsers meet
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: ASE cannot read it ({reason})") from None
    if atoms.pbc.any() and not atoms.pbc.all():
        raise InputError(f"{path}: the system must be periodic in all directions or in none")
    if not len(atoms) or np.isnan(atoms.positions).any():
        raise InputError(f"{path}: there is no atom, or a position is not a number")
    return atoms


def _charge(key: Path) -> float:
    """The keyword ml-qtot of a keyfile that the engine has accepted; 0 without it."""
    found = re.findall(r"^\s*ml-qtot\s+(\S+)", key.read_text(errors="replace"), re.M | re.I)
    return float(found[-1].lower().replace("d", "e")) if found else 0.0
