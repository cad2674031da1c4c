# SPDX-License-Identifier: MIT
"""Element statistics: the part of an energy that depends on the composition alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.models.interface import SYMBOLS
from pyfennix.training.frames import Frame


def fit_references(frames: Sequence[Frame]) -> dict[int, float]:
    """{Z: eV} by least squares over total energies; elements that occur together in one ratio
    only share it (the solution of smallest norm)."""
    known = [frame for frame in frames if frame.energy is not None]
    elements = sorted({int(z) for frame in frames for z in np.unique(frame.numbers)})
    if not known:
        return dict.fromkeys(elements, 0.0)
    counts = np.array([[(f.numbers == z).sum() for z in elements] for f in known], dtype=float)
    energies = np.array([f.energy for f in known])
    # per atom, so that large systems do not dominate
    size = counts.sum(axis=1)
    fitted = np.linalg.lstsq(counts / size[:, None], energies / size, rcond=1e-8)[0]
    return dict(zip(elements, fitted.tolist(), strict=True))


def subtract(frames: Sequence[Frame], references: Mapping[int, float]) -> None:
    """Make energies relative to the references, in place.

    Raises
    ------
    InputError
        When an element has no reference; names it.
    """
    for frame in frames:
        missing = sorted({int(z) for z in frame.numbers} - set(references))
        if missing:
            raise InputError(f"no reference energy is given for {SYMBOLS[missing[0]]}")
        if frame.energy is not None:
            frame.energy -= sum(references[int(z)] for z in frame.numbers)
