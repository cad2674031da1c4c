# SPDX-License-Identifier: MIT
"""The consumer of frames: what the engine gathers goes into an H5MD file."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from pyfennix import seam
from pyfennix.exceptions import FennixError
from pyfennix.failure import Failure
from pyfennix.io import h5md
from pyfennix.provider_handle import view

# bit of frame_header.contents, place in the file, in words
CONTENTS = (
    (seam.FRAME_VELOCITY, "velocity", "velocities (save-velocity)"),
    (seam.FRAME_FORCE, "force", "forces (save-force)"),
    (seam.FRAME_BOX, "box/edges", "box vectors"),
    (seam.FRAME_DIFFERENCE, "force_difference", "difference forces"),
)


class FrameSink:
    """Writes NAME.h5 for the engine; keep it as long as the engine may call it.

    Every frame is with the operating system when the call returns, and the file is in HDF5's
    single-writer mode, so that a killed run loses nothing that was written. A file left by a
    killed run opens after `pyfennix recover` (a resumed run does that by itself).

    Parameters
    ----------
    path
        The file; an older one is kept by renaming unless the engine continues it.
    parameters
        Text to be stored under /parameters.
    version
        Of this program, stored in the file.
    """

    whole: tuple[str, ...] = ()  # observables that are stored as integers

    def __init__(self, path: Path, parameters: dict[str, str], version: str):
        self.path = path
        self.failure = Failure(f"writing {path.name}")
        self._parameters = parameters
        self._version = version
        self._file: h5py.File | None = None
        self._header: h5md.Header | None = None
        self._started = False
        actions = (self._open, self._write, self._close)
        self._functions = [seam.FrameFunction(self._guarded(action)) for action in actions]
        self.record = record = seam.FrameSinkRecord()
        record.version = seam.VERSION
        record.open, record.write, record.close = map(seam.pointer, self._functions)
        record.message = seam.pointer(self.failure.message)

    @property
    def address(self) -> int:
        """Address of the frame_sink_record."""
        return ctypes.addressof(self.record)

    def _guarded(self, action: Callable[[int], None]) -> Callable[[int, int], int]:
        def call(_context: int, argument: int) -> int:
            try:
                action(argument)
            except OSError as error:
                words = f"{self.path}: cannot be written ({h5md.reason_of(error)})"
                return self.failure.note(FennixError(words))
            except BaseException as error:  # nothing may cross Fortran
                return self.failure.note(error)
            return 0

        return call

    def _open(self, address: int) -> None:
        given = seam.FrameHeader.from_address(address)
        lines = ctypes.string_at(given.observables).decode().split("\n")
        observables = dict(line.split("=", 1) for line in lines if line)
        self._header = h5md.Header(
            view(given.number, (given.n_atoms,), np.int32).copy(),
            view(given.mass, (given.n_atoms,), np.float64).copy(),
            view(given.bond, (given.n_bonds, 2), np.int32).copy(),
            observables,
            self._parameters,
            self._version,
            self.whole,
        )
        self._keep(given)
        if given.keep_frames > 0:
            h5md.rewrite(self.path, given.keep_frames)
            self._file = h5py.File(self.path, "r+", libver="latest")
            self._file.swmr_mode = True
            self._started = True
        else:
            if given.keep_frames < 0:
                set_aside(self.path)
            self._file = h5py.File(self.path, "w", libver="latest")

    def _keep(self, given: seam.FrameHeader) -> None:
        """Say how many frames of the file are kept; -1 sets it aside."""
        keep_all = given.keep_frames == seam.KEEP_ALL
        if keep_all and not self.path.exists():
            given.keep_frames = -1
        if given.keep_frames != seam.KEEP_ALL and given.keep_frames <= 0:
            return
        if keep_all and not h5md.is_readable(self.path):
            given.keep_frames = -1  # killed before its first frame was whole
            return
        with h5md.open_for_reading(self.path) as file:
            found = h5md.count_frames(file)
            difference = self._difference(file, given.contents) if found else ""
            if keep_all:
                # A run from a restart file goes on after what is there, up to its own first step
                steps = file[h5md.STEP][:found] if found else np.zeros(0, np.int64)
                later = np.flatnonzero(steps > given.start_step) if given.start_step >= 0 else []
                given.keep_frames = later[0] if len(later) else found
                given.dropped = found - given.keep_frames
        if keep_all and (difference or given.keep_frames == 0):
            given.keep_frames = -1
            given.dropped = 0 if difference else given.dropped
        elif difference:
            raise FennixError(f"{self.path}: {difference}, so it cannot be continued")

    def _difference(self, file: h5py.File, contents: int) -> str:
        """What a file holds that this run would not write, or the reverse; empty when nothing."""
        species = file[f"{h5md.TRAJECTORY}/species"][()]
        if not np.array_equal(species, self._header.numbers):
            return "the trajectory is of another system"
        if set(file["observables"]) != set(self._header.observables):
            return "the trajectory holds other observables than this run"
        for bit, place, words in CONTENTS:
            there = f"{h5md.TRAJECTORY}/{place}/value" in file
            if there != bool(contents & bit):
                return (f"the trajectory holds {words}, this run writes none" if there
                        else f"the trajectory holds no {words}, this run writes them")
        return ""

    def _write(self, address: int) -> None:
        frame = read_frame(seam.FrameRecord.from_address(address))
        if not self._started:
            self._begin(frame)
        h5md.append(self._file, list(self._header.observables), frame)

    def _begin(self, frame: h5md.Frame) -> None:
        """Everything that the file will ever hold, as far as it does not grow."""
        h5md.build(self._file, self._header, frame)
        self._file.swmr_mode = True  # from here on no object is created, data only grows
        self._started = True

    def _close(self, _address: int) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; harmless when it is closed already."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_frame(record: seam.FrameRecord) -> h5md.Frame:
    """The frame behind a record, as views of the engine's memory."""
    shape = (record.n_atoms, 3)

    def optional(address: int | None) -> np.ndarray | None:
        return view(address, shape, np.float64) if address else None

    cell = np.array(record.cell).reshape(3, 3) if record.periodic else None
    return h5md.Frame(
        step=record.step,
        time=record.time,
        position=view(record.position, shape, np.float64),
        image=view(record.image, shape, np.int32),
        velocity=optional(record.velocity),
        force=optional(record.force),
        cell=cell,
        observables=view(record.observable, (record.n_observables,), np.float64),
        force_difference=optional(record.difference),
    )


def set_aside(path: Path) -> None:
    """Rename an existing file to PATH.1, or the first free number."""
    if not path.exists():
        return
    number = 1
    while path.with_name(f"{path.name}.{number}").exists():
        number += 1
    path.rename(path.with_name(f"{path.name}.{number}"))
