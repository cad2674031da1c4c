# SPDX-License-Identifier: MIT
"""The systems of a distillation, from Tinker's files or any structure that ASE reads."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.models.interface import SYMBOLS, Model
from pyfennix.simulation import Simulation

if TYPE_CHECKING:
    import ase
    from torch import Tensor

    from pyfennix.models.graph import Graph

_SUFFIXES = (".key", ".xyz", ".extxyz", ".pdb", ".cif", ".traj", ".vasp", ".json")


class _Nothing(Model):
    """No energy: stands in for models while a system is read that may be too big for them."""

    cutoff = 1.0
    elements = tuple(range(1, len(SYMBOLS)))

    def forward(self, graph: Graph) -> Tensor:
        """Zero for each atom."""
        return graph.sum_neighbors(0.0 * graph.distances)


def read_systems(names: Sequence[str]) -> list[tuple[str, ase.Atoms]]:
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
        found[short] = read_system(name)
    return list(found.items())


def read_system(name: str) -> ase.Atoms:
    """Elements, positions (Å), masses and cell; ``info["charge"]`` is the total charge in e.

    NAME and NAME.key are read by the engine itself, so that every rule of its input holds; its
    models and time steps do not matter here, and no forces are evaluated. A single structure file
    is read by ASE; velocities in it do not count, as every run draws its own.

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
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*ml-qtot is ignored")
            sim = Simulation(key, accurate=_Nothing(), fast=_Nothing(), dt=1.0, substeps=1,
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
    atoms.set_array("momenta", None)  # each run draws velocities of its own
    return atoms


def _charge(key: Path) -> float:
    """The keyword ml-qtot of a keyfile that the engine has accepted; 0 without it."""
    found = re.findall(r"^\s*ml-qtot\s+(\S+)", key.read_text(errors="replace"), re.M | re.I)
    return float(found[-1].lower().replace("d", "e")) if found else 0.0
