# SPDX-License-Identifier: MIT
"""H5MD 1.1 trajectories as MDAnalysis reads them: create, append a frame, copy, recover."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from pyfennix.exceptions import FennixError, InputError

TRAJECTORY = "particles/trajectory"
STEP = f"{TRAJECTORY}/position/step"
TIME = f"{TRAJECTORY}/position/time"
# name in the file, unit, stored kind; single precision halves the file and resolves 1e-6 Å
VECTORS = {
    "position": ("Angstrom", np.float32),
    "image": ("", np.int32),
    "velocity": ("Angstrom ps-1", np.float32),
    "force": ("kcal mol-1 Angstrom-1", np.float32),
    "force_difference": ("kcal mol-1 Angstrom-1", np.float32),
}


@dataclass
class Header:
    """What stays the same over a trajectory.

    Attributes
    ----------
    numbers, masses
        (n,) atomic numbers, and masses in g/mol.
    bonds
        (n_bonds, 2) zero-based pairs of atoms.
    observables
        {name: unit}, in the order of their values; those in `whole` are stored as integers.
    parameters
        Text kept under /parameters: keyfile, models, seed, versions.
    """

    numbers: np.ndarray
    masses: np.ndarray
    bonds: np.ndarray
    observables: dict[str, str]
    parameters: dict[str, str] = field(default_factory=dict)
    version: str = ""
    whole: tuple[str, ...] = ()


@dataclass
class Frame:
    """One frame: arrays (n, 3) in Å, Å/ps, kcal/mol/Å; None for what is not stored."""

    step: int
    time: float
    position: np.ndarray
    image: np.ndarray
    velocity: np.ndarray | None
    force: np.ndarray | None
    cell: np.ndarray | None
    observables: np.ndarray
    force_difference: np.ndarray | None = None


def build(file: h5py.File, header: Header, frame: Frame) -> None:
    """Write all that does not grow, and every growing data set, empty, as `frame` has them."""
    about = file.create_group("h5md")
    about.attrs["version"] = np.array([1, 1], np.int32)
    about.create_group("author").attrs["name"] = os.environ.get("USER", "unknown")
    creator = about.create_group("creator")
    creator.attrs["name"] = "pyfennix"
    creator.attrs["version"] = header.version
    particles = file.create_group(TRAJECTORY)
    n = len(header.numbers)
    box = particles.create_group("box")
    box.attrs["dimension"] = 3
    box.attrs["boundary"] = ["none" if frame.cell is None else "periodic"] * 3
    position = particles.create_group("position")
    _growing(position, "step", (), np.int64)
    _growing(position, "time", (), np.float64).attrs["unit"] = "ps"
    for name, (unit, kind) in VECTORS.items():
        if getattr(frame, name) is not None:
            _element(file, f"{TRAJECTORY}/{name}", (n, 3), kind, unit)
    if frame.cell is not None:
        _element(file, f"{TRAJECTORY}/box/edges", (3, 3), np.float64, "Angstrom")
    particles["species"] = header.numbers.astype(np.int32)
    particles["id"] = np.arange(n, dtype=np.int32)
    particles["mass"] = header.masses
    particles["mass"].attrs["unit"] = "g mol-1"
    if len(header.bonds):
        file["connectivity/bonds"] = header.bonds
        file["connectivity/bonds"].attrs["particles_group"] = particles.ref
    for name, unit in header.observables.items():
        kind = np.int64 if name in header.whole else np.float64
        _element(file, f"observables/{name}", (), kind, unit)
    parameters = file.create_group("parameters")
    for name, text in header.parameters.items():
        parameters[name] = text


def append(file: h5py.File, names: list[str], frame: Frame) -> None:
    """Add one frame and push it to the operating system, so that a kill cannot lose it."""
    index = len(file[STEP])
    for name in VECTORS:
        values = getattr(frame, name)
        if values is not None:
            _put(file[f"{TRAJECTORY}/{name}/value"], index, values)
    if frame.cell is not None:
        _put(file[f"{TRAJECTORY}/box/edges/value"], index, frame.cell)
    for name, value in zip(names, frame.observables, strict=True):
        _put(file[f"observables/{name}/value"], index, value)
    _put(file[TIME], index, frame.time)
    _put(file[STEP], index, frame.step)
    file.flush()


def open_for_reading(path: Path) -> h5py.File:
    """Open a trajectory, also one whose writer was killed or is still at work.

    Raises
    ------
    InputError
        When it is not an HDF5 file that can be read.
    """
    try:
        try:
            return h5py.File(path, "r", swmr=True)
        except (OSError, ValueError):
            return h5py.File(path, "r")
    except OSError as error:
        reason = "is missing" if not path.exists() else "cannot be read as HDF5"
        raise InputError(f"{path}: the trajectory {reason}") from error


def is_readable(path: Path) -> bool:
    """Whether a file is HDF5 that can be opened."""
    try:
        open_for_reading(path).close()
    except InputError:
        return False
    return True


def count_frames(file: h5py.File) -> int:
    """Frames that are complete: present in every data set that grows."""
    if STEP not in file:
        return 0
    lengths = []

    def look(_name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and _grows(item):
            lengths.append(item.shape[0])

    file.visititems(look)
    return min(lengths, default=0)


def copy_frames(source: h5py.File, target: h5py.File, keep: int) -> None:
    """Copy everything, with the first `keep` frames; shared step and time stay shared."""
    _copy_group(source, target, keep, {})
    pairs = source["connectivity/bonds"] if "connectivity" in source else None
    if pairs is not None:  # a reference cannot be copied: it names an object of its own file
        target[pairs.name].attrs["particles_group"] = target[TRAJECTORY].ref


def rewrite(path: Path, keep: int | None = None) -> int:
    """Replace a trajectory by a clean copy of its first frames; returns how many it has now.

    The copy is made under a temporary name and renamed, so the file is never half written.

    Raises
    ------
    FennixError
        When the file is unreadable, is still being written, or holds fewer complete frames than
        must be kept.
    """
    refuse_live(path)
    temporary = path.with_name(path.name + ".tmp")
    with open_for_reading(path) as source:
        found = count_frames(source)
        keep = found if keep is None else keep
        if found < keep:
            raise FennixError(
                f"{path}: the trajectory holds {found} complete frames, but {keep} are needed "
                "to continue it"
            )
        try:
            with h5py.File(temporary, "w", libver="latest") as target:
                copy_frames(source, target, keep)
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise FennixError(f"{temporary}: cannot be written ({reason_of(error)})") from error
    temporary.replace(path)
    return keep


def refuse_live(path: Path) -> None:
    """Refuse a file that a process of this computer has open for writing.

    A writer would go on in the file that a copy has replaced, and its frames would be lost. HDF5
    gives up its lock when single-writer mode begins, so that only the system's list of open files
    can tell (that of Linux, for processes of the same user).

    Raises
    ------
    FennixError
        One sentence that names the process.
    """
    try:
        wanted = path.stat()
    except OSError:
        return  # opening it says what is wrong
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = [process / "fd" / name for name in os.listdir(process / "fd")]
        except OSError:
            continue  # it has ended meanwhile, or belongs to another user
        if any(_is_open_for_writing(link, wanted) for link in links):
            raise FennixError(
                f"{path}: process {process.name} is still writing it; wait until that has ended"
            )


def _is_open_for_writing(link: Path, wanted: os.stat_result) -> bool:
    """Whether an entry of /proc/PROCESS/fd is a file that may be written, and the wanted one."""
    try:
        found = link.stat()
        if (found.st_dev, found.st_ino) != (wanted.st_dev, wanted.st_ino):
            return False
        lines = (link.parents[1] / "fdinfo" / link.name).read_text().splitlines()
    except OSError:
        return False  # closed meanwhile
    flags = next((int(line.split()[1], 8) for line in lines if line.startswith("flags:")), 0)
    return flags & os.O_ACCMODE != os.O_RDONLY


def reason_of(error: OSError) -> str:
    """The operating system's words, or HDF5's."""
    return error.strerror or " ".join(str(error).split())


def _growing(group: h5py.Group, name: str, shape: tuple, kind: type) -> h5py.Dataset:
    chunk = (1, *shape) if shape else (512,)
    return group.create_dataset(name, (0, *shape), kind, maxshape=(None, *shape), chunks=chunk)


def _element(file: h5py.File, path: str, shape: tuple, kind: type, unit: str) -> None:
    """A time-dependent element, whose step and time are hard links to the one pair."""
    group = file.require_group(path)
    if "step" not in group:
        group["step"], group["time"] = file[STEP], file[TIME]
    data = _growing(group, "value", shape, kind)
    if unit:
        data.attrs["unit"] = unit


def _put(data: h5py.Dataset, index: int, value: object) -> None:
    data.resize(index + 1, axis=0)
    data[index] = value


def _grows(data: h5py.Dataset) -> bool:
    return bool(data.shape) and data.maxshape[0] is None


def _copy_group(source: h5py.Group, target: h5py.Group, keep: int, seen: dict[int, str]) -> None:
    _copy_attributes(source, target)
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _copy_group(item, target.create_group(name), keep, seen)
            continue
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            target[name] = target.file[seen[address]]
            continue
        if _grows(item):
            data = _growing(target, name, item.shape[1:], item.dtype)
            data.resize(keep, axis=0)
            for begin in range(0, keep, 64):
                end = min(begin + 64, keep)
                data[begin:end] = item[begin:end]
        else:
            data = target.create_dataset(name, data=item[()], dtype=item.dtype)
        _copy_attributes(item, data)
        seen[address] = data.name


def _copy_attributes(source: h5py.HLObject, target: h5py.HLObject) -> None:
    for name, value in source.attrs.items():
        if not isinstance(value, h5py.Reference):
            target.attrs[name] = value
