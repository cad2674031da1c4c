# SPDX-License-Identifier: MIT
"""Keeps what a folder was begun with, so that nothing else is gone on with there."""

from __future__ import annotations

import glob
import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfennix.distillation.settings import DistillSettings
from pyfennix.exceptions import InputError
from pyfennix.models.adapters.door import AnyModel
from pyfennix.models.interface import Model
from pyfennix.models.registry import checkpoint_file
from pyfennix.training.readers import file_and_part

if TYPE_CHECKING:
    import ase

# what must not differ of a system
_SAME = {"atoms": lambda a: a.numbers, "cell vectors": lambda a: a.cell[:],
         "boundaries": lambda a: a.pbc, "masses": lambda a: a.get_masses(),
         "charge": lambda a: [a.info.get("charge", 0.0)]}
# what may differ when a distillation is gone on with
_FREE = ("folder", "threads", "rounds", "test", "friction")


def refuse_changes(settings: DistillSettings, accurate: AnyModel) -> None:
    """Write ``settings.json`` into the folder, or compare with the one that is there.

    Raises
    ------
    InputError
        When the folder was begun with another setting or file; names it.
    """
    path = settings.folder / "settings.json"
    now = _facts(settings, accurate)
    if not path.is_file():
        temporary = path.with_name("settings.json.tmp")
        temporary.write_text(json.dumps(now, indent=1))
        temporary.replace(path)
        return
    try:
        before = json.loads(path.read_text())
    except (OSError, ValueError):
        raise InputError(f"{path}: cannot be read; distil into a new folder") from None
    for key, value in now.items():
        if before.get(key) != value:
            raise InputError(
                f"{path}: this folder was begun with {key} = {_shown(before.get(key))}, now it is "
                f"{_shown(value)}; give --out another folder")


def as_begun(folder: Path, name: str, atoms: ase.Atoms) -> ase.Atoms:
    """The system as it was when its first dynamics was done, kept in the folder; its start must
    not move when a run of the engine leaves a NAME.dyn behind. Says so where it would have.

    Raises
    ------
    InputError
        When its atoms, cell, masses or charge are others now; says which.
    """
    import ase.io

    path = folder / f"system-{name}.traj"
    begun = any(folder.glob(f"{glob.escape(name)}-*.h5")) or any(folder.glob("data1-*.h5"))
    if not (begun and path.is_file()):
        temporary = path.with_name(path.name + ".tmp")
        ase.io.write(temporary, atoms, format="traj")
        temporary.replace(path)
        return atoms
    before = ase.io.read(path, format="traj")
    for what, get in _SAME.items():
        one, other = (np.asarray(get(x), dtype=float) for x in (before, atoms))
        if one.shape != other.shape or not np.allclose(one, other, rtol=0.0, atol=1e-6):
            raise InputError(f"{path}: this folder was begun with other {what} of system {name}; "
                             "give --out another folder")
    if not np.allclose(before.positions, atoms.positions, rtol=0.0, atol=1e-6):
        print(f"going on from the positions of {name} that {path} holds", flush=True)
    return before


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) < 80 else text[:77] + "..."


def _facts(settings: DistillSettings, accurate: AnyModel) -> dict:
    found = {part.name: getattr(settings, part.name) for part in fields(settings)
             if part.name not in (*_FREE, "accurate")}
    found["accurate"] = f"{accurate.name} {_weights(accurate)}".strip()
    files = [*settings.repair, *settings.trajectory]
    found["files"] = [_digest(file_and_part(name)[0]) for name in files]
    found["start"] = _digest(checkpoint_file(settings.start)) if settings.start else ""
    return json.loads(json.dumps(found))  # lists for tuples, as they will be read


def _weights(model: AnyModel) -> str:
    """Some digits that change with any weight; none of a model that is not torch's."""
    if not isinstance(model, Model):
        return ""
    digest = hashlib.sha256()
    for parameter in model.parameters():
        digest.update(parameter.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def _digest(path: Path) -> str:
    """Name and some digits of a file's content."""
    try:
        return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
