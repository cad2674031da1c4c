# SPDX-License-Identifier: MIT
"""The published coefficients of the Nordlund-Lehtola-Hobler repulsion, read from ``nlh.txt``.

Phys. Rev. A 111, 032818 (2025), doi:10.1103/PhysRevA.111.032818: checkpoints that name the
module ``repulsion_nlh`` carry no table and mean this one.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np

from pyfennix.exceptions import ModelError

LAST = 92  # uranium
TERMS = 3


@cache
def published() -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes a and rates b (1/Å), both (93, 93, 3) float32, symmetric; row 0 is empty.

    Rounded to float32 because FeNNol keeps them so, also in float64.

    Raises
    ------
    ModelError
        When the installed file is not the table it should be.
    """
    file = resources.files("pyfennix.models.fnx").joinpath("nlh.txt")
    return parse(file.read_text(encoding="ascii"))


def parse(text: str) -> tuple[np.ndarray, np.ndarray]:
    """The same from the text of a table; ModelError when a pair is missing or unphysical."""
    table = np.full((2, LAST + 1, LAST + 1, TERMS), np.nan, dtype=np.float32)
    table[:, 0] = table[:, :, 0] = 0.0
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            continue
        try:
            first, second, *terms = line.split()
            i, j = int(first), int(second)
            values = np.array(terms, dtype=np.float64).reshape(-1, 2)
        except ValueError:
            raise ModelError(f"nlh.txt: line {number} is not Z1 Z2 and pairs a b") from None
        if not (1 <= i <= j <= LAST and 1 <= len(values) <= TERMS):
            raise ModelError(f"nlh.txt: line {number} is for no pair of elements up to {LAST}")
        padded = np.zeros((TERMS, 2), dtype=np.float32)
        padded[: len(values)] = values
        table[:, i, j] = table[:, j, i] = padded.T
    a, b = table
    # phi(0) = 1 to the five decimals printed; a NaN (a pair not given) fails as well
    good = (np.abs(a[1:, 1:].sum(2) - 1.0) < 2e-5) & (b[1:, 1:] >= 0.0).all(2)
    if not good.all():
        i, j = np.argwhere(~good)[0] + 1
        raise ModelError(f"nlh.txt: no valid screening function for Z = {i} with Z = {j}")
    return a, b
