# SPDX-License-Identifier: MIT
"""Settings of a training and their TOML file, every mistake in it named with its line."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pyfennix.exceptions import InputError


@dataclass
class ModelSettings:
    """What is trained: a shape (see shapes.py) or a file to go on from."""

    shape: str = "fast"
    start: str = ""  # .fnx whose weights to start from
    elements: list[str] = field(default_factory=list)  # symbols; those of the data if empty
    changes: dict[str, Any] = field(default_factory=dict)  # sizes that differ from the shape's


@dataclass
class DataSettings:
    """Files and what is done with them."""

    train: list[str] = field(default_factory=list)
    validation: list[str] = field(default_factory=list)
    held_out: float = 0.1  # share of runs for validation when no validation files are given
    split_seed: int = 0
    max_force: float = 30.0  # eV/Å; frames with larger ones are left out
    references: dict[str, float] = field(default_factory=dict)  # eV by symbol; fitted if empty


@dataclass
class LossSettings:
    """Weights, and where the loss turns from square to linear."""

    forces: float = 1.0
    energy: float = 5.0  # of the error per atom
    virial: float = 1.0  # of the error per atom
    change: float = 0.0  # of the change of forces between the frames of a family
    members: float = 0.0  # of every member of an ensemble, energy per atom
    force_scale: float = 0.05  # eV/Å
    energy_scale: float = 0.01  # eV per atom


@dataclass
class OptimizerSettings:
    """AdamW with warm-up, half a cosine, clipping and a running average of the weights."""

    steps: int = 20000
    batch_atoms: int = 512  # atoms in a step, at least one frame
    learning_rate: float = 3e-3
    final_rate: float = 0.01  # share of the learning rate at the end
    warmup: int = 200  # steps
    weight_decay: float = 1e-5
    clip: float = 1.0  # largest norm of the gradient
    average: float = 0.999  # decay of the running average that is tested and kept
    seed: int = 1


@dataclass
class RunSettings:
    """The course of the run."""

    check_every: int = 500  # steps between validations and checkpoints
    validation_frames: int = 100  # at most, for the checks on the way
    patience: int = 0  # checks without improvement after which it stops; 0 means never
    threads: int = 0  # of torch; 0 leaves it to torch
    device: str = "cpu"


@dataclass
class TeacherSettings:
    """A model whose energies and forces replace the labels of the data."""

    model: str = ""
    dtype: str = "float32"


@dataclass
class TrainSettings:
    """Everything a training depends on; a section of the TOML file for each part."""

    model: ModelSettings = field(default_factory=ModelSettings)
    data: DataSettings = field(default_factory=DataSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    run: RunSettings = field(default_factory=RunSettings)
    teacher: TeacherSettings = field(default_factory=TeacherSettings)


# smallest and largest sensible value of numbers that could be mistaken
_RANGES = {
    "held_out": (0.0, 0.9), "max_force": (1e-6, 1e9), "force_scale": (1e-9, 1e9),
    "energy_scale": (1e-9, 1e9), "steps": (1, 10**9), "batch_atoms": (1, 10**9),
    "learning_rate": (1e-9, 1.0), "final_rate": (0.0, 1.0), "warmup": (0, 10**9),
    "weight_decay": (0.0, 1.0), "clip": (1e-9, 1e9), "average": (0.0, 0.999999),
    "check_every": (1, 10**9), "validation_frames": (1, 10**9), "patience": (0, 10**9),
    "threads": (0, 1024), "seed": (0, 2**31 - 1), "split_seed": (0, 2**31 - 1),
    "forces": (0.0, 1e9), "energy": (0.0, 1e9), "virial": (0.0, 1e9), "members": (0.0, 1e9),
    "change": (0.0, 1e9),
}  # fmt: skip


def read_settings(path: str | Path) -> TrainSettings:
    """The settings in a TOML file; paths in it are relative to the file.

    Raises
    ------
    InputError
        One sentence with file, line and keyword.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        tree = tomllib.loads(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not TOML ({error})") from None
    settings = TrainSettings()
    _fill(settings, tree, _Place(path, text))
    folder = path.parent
    data, model, teacher = settings.data, settings.model, settings.teacher
    data.train = [_beside(folder, name) for name in data.train]
    data.validation = [_beside(folder, name) for name in data.validation]
    model.start, teacher.model = (_beside(folder, x) for x in (model.start, teacher.model))
    if not data.train:
        raise InputError(f"{path}: [data] train names no file")
    return settings


def _beside(folder: Path, name: str) -> str:
    """A file's name as seen from here; names of shipped models stay."""
    looks_like_file = "/" in name or "." in name
    return str(folder / name) if name and looks_like_file else name


@dataclass
class _Place:
    """Where in the file a mistake is."""

    path: Path
    text: str

    def line(self, section: str, key: str) -> str:
        """`FILE:LINE`; the file alone when the key is not found as written."""
        inside = section == ""
        for number, row in enumerate(self.text.splitlines(), 1):
            head = re.match(r"\s*\[\s*([\w.\-]+)\s*\]", row)
            if head:
                inside = head.group(1) == section
                if section == "" and head.group(1) == key:
                    return f"{self.path}:{number}"
            elif inside and re.match(rf"\s*{re.escape(key)}\s*=", row):
                return f"{self.path}:{number}"
        return str(self.path)


def _fill(settings: TrainSettings, tree: dict, place: _Place) -> None:
    known = {part.name: getattr(settings, part.name) for part in fields(settings)}
    for section, values in tree.items():
        if section not in known or not isinstance(values, dict):
            raise InputError(f"{place.line('', section)}: section [{section}] is unknown"
                             f"{_nearest(section, known)}")
        target = known[section]
        hints = get_type_hints(type(target))
        for key, value in values.items():
            where = place.line(section, key)
            if key not in hints:
                raise InputError(f"{where}: {key} is no setting of [{section}]"
                                 f"{_nearest(key, hints)}")
            setattr(target, key, checked(key, value, hints[key], where))


def _nearest(word: str, known) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"


def checked(key: str, value: Any, kind: Any, where: str) -> Any:
    """A value of the kind a setting has, within its range; InputError that begins with where."""
    base = getattr(kind, "__origin__", kind)
    if base is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    names = {str: "a text", int: "a whole number", float: "a number", list: "a list",
             dict: "a table"}
    wrong = not isinstance(value, base) or (isinstance(value, bool) and base is not bool)
    if not wrong and base is list:
        wrong = not all(isinstance(item, get_args(kind)[0]) for item in value)
    if not wrong and kind == dict[str, float]:
        wrong = not all(isinstance(item, int | float) for item in value.values())
    if wrong:
        raise InputError(f"{where}: {key} = {value!r} is not {names.get(base, base.__name__)}")
    low, high = _RANGES.get(key, (None, None))
    if low is not None and not low <= value <= high:
        raise InputError(f"{where}: {key} = {value!r} is not from {low} to {high}")
    return value


def as_tree(settings: Any) -> Any:
    """Settings as nested dicts of plain values."""
    if is_dataclass(settings):
        return {part.name: as_tree(getattr(settings, part.name)) for part in fields(settings)}
    return settings
