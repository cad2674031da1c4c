# SPDX-License-Identifier: MIT
"""Frames that a run harvested because its fast model failed there."""

from __future__ import annotations

from pathlib import Path

from pyfennix.exceptions import InputError
from pyfennix.training.frames import Frame
from pyfennix.training.trajectories import read_timed

# ps without a harvested frame after which the next one is another event
_APART = 0.1


def read_holes(path: Path, charge: float = 0.0) -> list[Frame]:
    """All frames of NAME.holes.h5, without labels, in the order of time; one run for each event.

    Raises
    ------
    InputError
        When the file cannot be read or holds fewer than two frames.
    """
    timed = read_timed(path)
    if len(timed) < 2:
        raise InputError(f"{path}: holds {len(timed)} harvested frame"
                         f"{'s' * (len(timed) != 1)}, two are needed; lower harvest-force, or run "
                         "longer")
    event, before, frames = 0, timed[0][1], []
    for frame, time in timed:
        event += time - before > _APART
        before = time
        frame.run, frame.kind, frame.charge = f"{path.name}:{event}", "hole", charge
        frames.append(frame)
    return frames
