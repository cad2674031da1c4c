# SPDX-License-Identifier: MIT
"""Labelled frames from the files that people have: our HDF5, extended XYZ, ASE databases."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.training.frames import Frame
from pyfennix.training.store import read_store
from pyfennix.training.trajectories import is_h5md, read_h5md

_ASE = (".extxyz", ".xyz", ".db", ".traj", ".json")
_HDF5 = (".h5", ".hdf5")


def read_frames(path: str | Path) -> list[Frame]:
    """All frames of a file.

    Read are ``.h5`` in the layout of :mod:`pyfennix.training.store`, and by ASE ``.extxyz``,
    ``.xyz``, ``.db`` and ``.traj``, whose energies are in eV and forces in eV/Å. Of these, the
    stress becomes a virial, ``info["charge"]`` the total charge, ``info["run"]`` the run; a frame
    without one is a run of its own. The engine's own ``.h5`` gives geometries alone.
    ``FILE@start:stop:step`` takes a part.

    Raises
    ------
    InputError
        When the file cannot be read; one sentence naming it.
    """
    file, part = file_and_part(path)
    if not file.is_file():
        near = difflib.get_close_matches(file.name, [p.name for p in _siblings(file)], n=1)
        hint = f"; did you mean {file.with_name(near[0])}?" if near else ""
        raise InputError(f"{file}: the data file does not exist{hint}")
    if file.suffix in _HDF5:
        frames = read_h5md(file) if is_h5md(file) else read_store(file)
    elif file.suffix in _ASE:
        frames = _read_ase(file)
    else:
        raise InputError(f"{file}: a data file ends in {', '.join((*_HDF5, *_ASE))}")
    return frames[_slice(file, part)] if part else frames


def read_all(paths: Sequence[str | Path],
             read: Callable[[str | Path], list[Frame]] = read_frames) -> list[Frame]:
    """All frames of several files; runs and families of different files stay apart.

    Parts of one file belong to the same runs.
    """
    found: list[Frame] = []
    places: list[Path] = []
    for path in paths:
        place = file_and_part(path)[0].resolve()
        if place not in places:
            places.append(place)
        frames, which = read(path), places.index(place)
        # names of runs begin with their file's
        same_name = any(other.name == place.name for other in places[:which])
        for frame in frames if which else []:
            frame.family = frame.family and f"{which}/{frame.family}"
            if same_name:
                frame.run = f"{which}/{frame.run}"
        found += frames
    return found


def file_and_part(path: str | Path) -> tuple[Path, str]:
    """The file, and ``start:stop:step`` behind an @ that is not in the file's own name."""
    file = Path(path)
    if file.is_file() or "@" not in file.name:
        return file, ""
    name, _, part = file.name.rpartition("@")
    return file.with_name(name), part


def _siblings(file: Path) -> list[Path]:
    return list(file.parent.iterdir()) if file.parent.is_dir() else []


def _slice(file: Path, text: str) -> slice:
    try:
        part = slice(*(int(word) if word else None for word in text.split(":")))
        range(1)[part]  # a step of zero
        return part
    except (ValueError, TypeError):
        raise InputError(f"{file}@{text}: expected FILE@start:stop or FILE@start:stop:step"
                         ) from None


def _read_ase(file: Path) -> list[Frame]:
    try:
        import ase.io
    except ImportError:
        raise InputError(f"{file}: reading it needs ASE (pip install 'pyfennix[ase]')") from None
    try:
        images = ase.io.read(file, index=":")
    except Exception as error:  # ASE raises whatever its parsers meet
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{file}: ASE cannot read it ({reason})") from None
    return [_from_atoms(file, k, atoms) for k, atoms in enumerate(images)]


def _from_atoms(file: Path, k: int, atoms) -> Frame:
    if not len(atoms):
        raise InputError(f"{file}: frame {k + 1} has no atoms")
    periodic = bool(atoms.pbc.any())
    if periodic and not atoms.pbc.all():
        raise InputError(f"{file}: a frame is periodic in some directions only")
    results = {} if atoms.calc is None else dict(atoms.calc.results)
    energy = results.get("free_energy", results.get("energy"))
    forces = results.get("forces", atoms.arrays.get("forces", atoms.arrays.get("force")))
    if energy is None:
        energy = atoms.info.get("energy")
    virial, stress = atoms.info.get("virial"), results.get("stress")
    if virial is not None:  # the convention of quippy and GAP: minus dE/dstrain
        virial = -np.asarray(virial, dtype=np.float64).reshape(3, 3)
    elif stress is not None and periodic:
        virial = atoms.get_stress(voigt=False) * atoms.get_volume()
    for name, values in (("positions", atoms.positions), ("energy", energy), ("forces", forces)):
        if values is not None and not np.isfinite(values).all():
            raise InputError(f"{file}: the {name} of frame {k + 1} are not finite numbers")
    run = atoms.info.get("run", f"#{k}")
    return Frame(
        atoms.numbers.astype(np.int64), atoms.positions.astype(np.float64),
        np.array(atoms.cell[:]) if periodic else None,
        None if energy is None else float(energy),
        None if forces is None else np.asarray(forces, dtype=np.float64),
        virial if periodic else None, float(atoms.info.get("charge", 0.0)), f"{file.name}:{run}",
    )
