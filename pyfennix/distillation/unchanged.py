# SPDX-License-Identifier: MIT
"""Keeps what a folder was begun with, so that nothing else is gone on with there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfennix.distillation.settings import DistillSettings
from pyfennix.exceptions import InputError
from pyfennix.models.adapters.door import AnyModel
from pyfennix.models.interface import Model
from pyfennix.models.registry import checkpoint_file

if TYPE_CHECKING:
    import ase

# what may differ when a distillation is gone on with
_FREE = ("folder", "threads", "rounds", "test")


def refuse_changes(settings: DistillSettings, accurate: AnyModel,
                   systems: Mapping[str, ase.Atoms]) -> None:
    """Write ``settings.json`` into the folder, or compare with the one that is there.

    Raises
    ------
    InputError
        When the folder was begun with another setting or file; names it.
    """
    path = settings.folder / "settings.json"
    now = _facts(settings, accurate) | {f"system {k}": _system(v) for k, v in systems.items()}
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


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) < 80 else text[:77] + "..."


def _facts(settings: DistillSettings, accurate: AnyModel) -> dict:
    found = {part.name: getattr(settings, part.name) for part in fields(settings)
             if part.name not in (*_FREE, "accurate")}
    found["accurate"] = f"{accurate.name} {_weights(accurate)}".strip()
    files = [*settings.repair, *settings.trajectory]
    found["files"] = [_digest(Path(name.partition("@")[0])) for name in files]
    found["start"] = _digest(checkpoint_file(settings.start)) if settings.start else ""
    return json.loads(json.dumps(found))  # lists for tuples, as they will be read


def _system(atoms: ase.Atoms) -> str:
    """Some digits that change with what a system is; positions are only where it starts."""
    digest = hashlib.sha256(atoms.numbers.astype("int64").tobytes())
    for values in (atoms.cell[:], atoms.get_masses(), [atoms.info.get("charge", 0.0)]):
        digest.update(np.round(np.asarray(values, dtype=float), 6).tobytes())
    return f"{atoms.get_chemical_formula()} {digest.hexdigest()[:12]}"


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
