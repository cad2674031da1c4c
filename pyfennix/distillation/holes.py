# SPDX-License-Identifier: MIT
"""Frames that a run harvested because its fast model failed there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.io.h5md import TRAJECTORY, count_frames, open_for_reading
from pyfennix.training.frames import Frame


def read_holes(path: Path) -> list[Frame]:
    """All frames of NAME.holes.h5, without labels, in the order of time.

    Raises
    ------
    InputError
        When the file cannot be read or holds no frame.
    """
    with open_for_reading(path) as file:
        count = count_frames(file)
        if not count:
            raise InputError(f"{path}: no frame was harvested; lower harvest-force, or run longer")
        group = file[TRAJECTORY]
        numbers = group["species"][()].astype(np.int64)
        positions = group["position/value"][:count]
        edges = group["box/edges/value"][:count] if "edges" in group["box"] else [None] * count
        return [Frame(numbers, np.array(x, dtype=np.float64),
                      None if cell is None else np.array(cell), run=path.name, kind="hole")
                for x, cell in zip(positions, edges, strict=True)]
