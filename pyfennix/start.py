# SPDX-License-Identifier: MIT
"""What a Simulation is made from: options become keywords, files or Atoms become an engine."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from pyfennix import resources
from pyfennix.engine import Engine
from pyfennix.exceptions import InputError

if TYPE_CHECKING:
    import ase

    from pyfennix.models.interface import Model

# Python argument -> keyword; the keyword's own rules are checked in one place, the engine
_KEYWORDS = {
    "ensemble": "ensemble",
    "temperature": "temperature",
    "friction": "friction",
    "dtype": "ml-precision",
    "device": "ml-device",
    "threads": "ml-threads",
    "charge": "ml-qtot",
    "seed": "randomseed",
    "dt": "timestep",
}


def keyword_lines(options: dict[str, object], keywords: dict[str, object]) -> list[str]:
    """Lines of a keyfile for the arguments of Simulation that are not None.

    Raises
    ------
    InputError
        When an option cannot be written as a keyword.
    """
    lines = [
        f"{keyword} {_word(options[name])}"
        for name, keyword in _KEYWORDS.items()
        if options.get(name) is not None
    ]
    for name, keyword in (("accurate", "ml-model"), ("fast", "ml-model-fast")):
        if options.get(name) is not None:
            lines.append(f"{keyword} {_model_word(options[name])}")
    substeps, dt = options.get("substeps"), options.get("dt")
    if substeps is not None:
        if int(substeps) != substeps or substeps < 1:
            raise InputError(f"substeps must be a whole number of at least 1, got {substeps}")
        lines.append(f"dshort {_word((1.0 if dt is None else dt) * 1e-3 / int(substeps))}")
    for name, value in keywords.items():
        if value is not None:
            lines.append(f"{name} {_word(value)}")
    broken = [line for line in lines if "\n" in line]
    if broken:
        raise InputError(f"a keyword must fit on one line, got {broken[0]!r}")
    return lines


def from_keyfile(
    path: Path, words: list[str], lines: list[str], output: str, velocities: np.ndarray | None
) -> Engine:
    """An engine from NAME.key, or the NAME of it, and the structure beside it."""
    if velocities is not None:
        raise InputError("velocities= goes with Atoms; with a keyfile set sim.velocities instead")
    key = path if path.suffix == ".key" else path.with_name(path.name + ".key")
    if not key.is_file():
        raise InputError(f"{key}: the keyfile is missing")
    words = [str(key.with_suffix("")), "-k", str(key), *words]
    text = None
    if lines:  # what is given in Python goes before the file: the last mention of a keyword counts
        text = key.read_text() + "\n" + "\n".join(lines) + "\n"
    return Engine.from_files(words, text, output)


def from_atoms(
    atoms: ase.Atoms, words: list[str], lines: list[str], output: str,
    velocities: np.ndarray | None,
) -> Engine:
    """An engine from ASE Atoms; their momenta count unless velocities are given."""
    if not hasattr(atoms, "get_atomic_numbers"):
        raise InputError(
            f"a simulation is made from a keyfile or ASE Atoms, got {type(atoms).__name__}"
        )
    periodic = np.asarray(atoms.pbc)
    if periodic.any() and not periodic.all():
        raise InputError("the Atoms must be periodic along all three lattice vectors or none")
    if velocities is None and atoms.has("momenta"):
        velocities = _velocities_of(atoms)
    if velocities is not None:
        velocities = np.asarray(velocities, np.float64)
        if velocities.shape != (len(atoms), 3) or not np.isfinite(velocities).all():
            raise InputError(
                f"velocities must be ({len(atoms)}, 3) finite numbers in Å/ps, "
                f"got shape {velocities.shape}"
            )
    return Engine.from_arrays(
        [output or "python", *words],
        "\n".join(lines) + "\n",
        output,
        atoms.get_atomic_numbers(),
        atoms.get_positions(),
        velocities,
        atoms.get_masses() if atoms.has("masses") else None,
        np.asarray(atoms.cell) if periodic.all() else None,
    )


def model_objects(
    models: tuple[object, object], dtype: str | None
) -> tuple[Model | None, Model | None]:
    """The models that were given as objects, as copies, cast when a dtype was asked for."""
    found = []
    for model in models:
        if not isinstance(model, torch.nn.Module):
            found.append(None)
            continue
        model = copy.deepcopy(model)
        found.append(model if dtype is None else model.to(resources.choose_dtype(dtype)))
    return found[0], found[1]


def _velocities_of(atoms: ase.Atoms) -> np.ndarray:
    """Å/ps from ASE's own units."""
    from ase import units

    return atoms.get_velocities() * (1000.0 * units.fs)


def _model_word(model: object) -> str:
    """The value of ml-model: a path or name, or for an object the name of its class."""
    if isinstance(model, torch.nn.Module):
        return type(model).__name__
    word = str(model)
    if Path(word.partition(".py:")[0] + (".py" if ".py:" in word else "")).is_file():
        word = str(Path(word).absolute())
    return f'"{word}"' if " " in word or word.startswith("#") else word


def _word(value: object) -> str:
    """A value as it is written in a keyfile."""
    if isinstance(value, bool | np.bool_):
        return "on" if value else "off"
    if isinstance(value, float | np.floating):
        return repr(float(value))
    return str(value)
