# SPDX-License-Identifier: MIT
"""Geometries from the trajectories that the engine writes (H5MD)."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from pyfennix.io.h5md import TRAJECTORY, count_frames, open_for_reading
from pyfennix.training.frames import Frame


def is_h5md(path: Path) -> bool:
    """Whether this is a trajectory of the engine rather than labelled frames."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            return TRAJECTORY in file
    except OSError:
        return False  # whoever reads it says what is wrong


def read_h5md(path: Path) -> list[Frame]:
    """All complete frames, without labels, in the order of time, as one run.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    return [frame for frame, _ in read_timed(path)]


def read_timed(path: Path) -> list[tuple[Frame, float]]:
    """The same with the time of each in ps."""
    with open_for_reading(path) as file:
        count = count_frames(file)
        group = file[TRAJECTORY]
        numbers = group["species"][()].astype(np.int64)
        positions = group["position/value"][:count]
        times = group["position/time"][:count]
        edges = group["box/edges/value"][:count] if "box/edges" in group else [None] * count
        return [(Frame(numbers, np.array(x, dtype=np.float64),
                       None if cell is None else np.array(cell), run=path.name, kind="md"),
                 float(time))
                for x, cell, time in zip(positions, edges, times, strict=True)]
