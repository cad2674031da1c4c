# SPDX-License-Identifier: MIT
"""Copies of sampled geometries, moved to where dynamics with a worse model may go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyfennix.training.frames import Frame
from pyfennix.training.teacher import shaken, strained, stretched

# standard deviation of the stretch of bonds to hydrogen (twice the thermal one), largest one of
# displacements, and largest strain
STRETCH, SHAKE, STRAIN = 0.06, 0.08, 0.02


def moved_copies(frames: Sequence[Frame], seed: int) -> list[Frame]:
    """Two unlabelled copies of each frame: hydrogens stretched, and everything shaken.

    The shaken copy of a periodic frame is strained as well. Amplitudes are drawn for each copy,
    so that small displacements are as usual as large ones.
    """
    rng = np.random.default_rng((seed, 7))
    copies = []
    for frame in frames:
        copies.append(stretched(frame, STRETCH * rng.uniform(0.3, 1.0), rng))
        copy = shaken(frame, SHAKE * rng.uniform(0.1, 1.0), rng)
        if frame.cell is not None:
            copy = strained(copy, STRAIN, rng)
        copies.append(copy)
    return copies
