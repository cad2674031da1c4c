# SPDX-License-Identifier: MIT
"""Labelled frames in HDF5: one group per list of atoms, frames along the first axis."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.training.frames import Frame

UNITS = {"positions": "A", "cell": "A", "energy": "eV", "forces": "eV/A", "virial": "eV"}


def read_store(path: Path, empty: bool = False) -> list[Frame]:
    """All frames of a file, group by group; optional data sets may be missing.

    A group holds ``atomic_numbers`` (n,), ``positions`` (m, n, 3) Å and any of ``energy`` (m,) eV,
    ``forces`` (m, n, 3) eV/Å, ``cell`` (m, 3, 3), ``virial`` (m, 3, 3) eV = dE/dstrain,
    ``weights`` (m, n), ``run_id``, ``kind`` and ``family`` (m,); attribute ``total_charge`` in e.

    Parameters
    ----------
    empty
        Whether a file without frames is right.

    Raises
    ------
    InputError
        When the file is no such store; names the file and the group.
    """
    frames: list[Frame] = []
    try:
        with h5py.File(path, "r") as file:
            for name, group in file.items():
                if isinstance(group, h5py.Group):
                    frames += _read_group(path, name, group)
    except OSError as error:
        reason = "does not exist" if not path.exists() else "cannot be read as HDF5"
        raise InputError(f"{path}: the file {reason}") from error
    if not frames and not empty:
        raise InputError(f"{path}: holds no group with atomic_numbers and positions")
    return frames


def _read_group(path: Path, name: str, group: h5py.Group) -> list[Frame]:
    if "atomic_numbers" not in group or "positions" not in group:
        raise InputError(f"{path}: group {name!r} lacks atomic_numbers or positions")
    numbers = group["atomic_numbers"][()].astype(np.int64)
    positions = group["positions"][()].astype(np.float64)
    m, n = len(positions), len(numbers)
    if n == 0:
        raise InputError(f"{path}: group {name!r} has no atoms")
    shapes = {"positions": (m, n, 3), "energy": (m,), "forces": (m, n, 3), "cell": (m, 3, 3),
              "virial": (m, 3, 3), "weights": (m, n), "run_id": (m,), "kind": (m,),
              "family": (m,)}
    have = {"positions": positions}
    for key, shape in shapes.items():
        if key in group and key not in have:
            have[key] = group[key][()]
        if key in have and have[key].shape != shape:
            raise InputError(f"{path}: {key} of group {name!r} has shape {have[key].shape}, "
                             f"expected {shape}")
        if key in have and have[key].dtype.kind == "f" and not np.isfinite(have[key]).all():
            raise InputError(f"{path}: {key} of group {name!r} holds numbers that are not finite")
    charge = float(group.attrs.get("total_charge", 0.0))

    def one(key: str, k: int, kind=np.float64):
        return None if key not in have else np.array(have[key][k], dtype=kind)

    def word(key: str, k: int) -> str:
        value = have[key][k] if key in have else b""
        return value.decode() if isinstance(value, bytes) else str(value)

    return [
        Frame(numbers, positions[k], one("cell", k),
              None if "energy" not in have else float(have["energy"][k]),
              one("forces", k), one("virial", k), charge,
              f"{path.name}:{name}:{word('run_id', k) or f'#{k}'}",
              one("weights", k), word("kind", k), word("family", k))
        for k in range(m)
    ]


def write_store(path: Path, frames: Sequence[Frame], attributes: dict | None = None) -> None:
    """Write frames in the layout that :func:`read_store` reads; replaces the file at once.

    Frames of a group have the same atoms and the same labels; runs keep their names.
    """
    groups: dict[tuple, list[Frame]] = {}
    for frame in frames:
        known = tuple(getattr(frame, key) is not None
                      for key in ("cell", "energy", "forces", "virial", "weights"))
        groups.setdefault((frame.numbers.tobytes(), frame.charge, known), []).append(frame)
    temporary = path.with_name(path.name + ".tmp")
    with h5py.File(temporary, "w") as file:
        file.attrs.update(attributes or {})
        for k, members in enumerate(groups.values()):
            _write_group(file.create_group(f"set{k:04d}"), members)
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    temporary.replace(path)


def _write_group(group: h5py.Group, frames: list[Frame]) -> None:
    group["atomic_numbers"] = frames[0].numbers
    group.attrs["total_charge"] = frames[0].charge
    kinds = {"forces": np.float32, "virial": np.float64, "weights": np.float32}
    for key in ("positions", "cell", "energy", "forces", "virial", "weights"):
        if getattr(frames[0], key) is not None:
            values = np.array([getattr(f, key) for f in frames], dtype=kinds.get(key, np.float64))
            group[key] = values
            if key in UNITS:
                group[key].attrs["units"] = UNITS[key]
    for key, words in (("run_id", [f.run for f in frames]), ("kind", [f.kind for f in frames]),
                       ("family", [f.family for f in frames])):
        group[key] = np.array([word.encode() for word in words])
