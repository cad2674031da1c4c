# SPDX-License-Identifier: MIT
"""NAME.holes.h5: the outer steps at which two models are far apart, and how far they are."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from pyfennix import seam
from pyfennix.frames import FrameSink
from pyfennix.io import h5md
from pyfennix.provider_handle import view

GROUP = "harvest"
UNIT = "kcal mol-1 Angstrom-1"
COUNTS = ("n_steps", "first_step", "last_step", "n_above", "largest_step", "largest_atom")
FORCES = ("largest", "threshold")
N_BINS = 401  # 400 of equal width and an open one; Fortran's dynamics/tally.f90


class HoleSink(FrameSink):
    """Writes NAME.holes.h5: frames as in NAME.h5 with difference forces, and statistics.

    Frames are rare, so the file is complete before the first of them: it tells what a run saw
    also when nothing was harvested or the run was killed.
    """

    whole = ("worst_atom",)

    def __init__(self, path: Path, parameters: dict[str, str], version: str):
        super().__init__(path, parameters, version)
        self._functions.append(seam.FrameFunction(self._guarded(self._summary)))
        self.record.summary = seam.pointer(self._functions[-1])

    def _open(self, address: int) -> None:
        super()._open(address)
        if self._started:
            return
        header = seam.FrameHeader.from_address(address)
        none = np.zeros((header.n_atoms, 3))
        self._begin(h5md.Frame(
            step=0, time=0.0, position=none, image=none, velocity=None, force=None,
            cell=np.zeros((3, 3)) if header.contents & seam.FRAME_BOX else None,
            observables=np.zeros(header.n_observables), force_difference=none,
        ))

    def _begin(self, frame: h5md.Frame) -> None:
        group = self._file.create_group(GROUP)
        group["histogram"] = np.zeros(N_BINS, np.int64)
        group["edges"] = np.zeros(N_BINS)
        for name in COUNTS:
            group[name] = np.int64(0)
        for name in FORCES:
            group[name] = 0.0
        for name in ("edges", *FORCES):
            group[name].attrs["unit"] = UNIT
        super()._begin(frame)
        self._file.flush()

    def _summary(self, address: int) -> None:
        """Bring the statistics up to date; nothing grows, so a kill leaves the old or the new."""
        given = seam.SummaryRecord.from_address(address)
        group: h5py.Group = self._file[GROUP]
        group["histogram"][...] = view(given.counts, (given.n_bins,), np.int64)
        group["edges"][...] = given.bin_width * np.arange(given.n_bins)
        for name in (*COUNTS, *FORCES):
            group[name][...] = getattr(given, name)
        self._file.flush()
