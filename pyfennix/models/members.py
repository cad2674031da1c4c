# SPDX-License-Identifier: MIT
"""Checks what a user gives as a system: numbers, positions, cell, charge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pyfennix.exceptions import InputError

_KEYS = ("numbers", "positions", "cell", "charge")


def read_member(place: int, system: Sequence | Mapping) -> tuple:
    """(numbers, positions, cell, charge) of one system of a batch, see :func:`read_system`."""
    name = f"system {place} of the batch"
    if isinstance(system, Mapping):
        wrong = sorted(set(system) - set(_KEYS)) or [k for k in _KEYS[:2] if k not in system]
        values = [system.get(key) for key in _KEYS]
    elif isinstance(system, Sequence):
        wrong = [] if 2 <= len(system) <= 4 else [f"{len(system)} entries"]
        values = [*system, None, None][:4]
    else:
        wrong, values = [type(system).__name__], []
    if wrong:
        raise InputError(f"{name} is not numbers, positions[, cell[, charge]] ({wrong[0]!r})")
    return read_system(*values, name=name)


def read_system(numbers, positions, cell, charge, name: str = "the system") -> tuple:
    """The same as arrays: (n,) int64, (n, 3) float64, (3, 3) float64 or None, and a float.

    Raises
    ------
    InputError
        One sentence that begins with ``name``.
    """
    try:
        given = np.asarray(numbers, dtype=np.float64)
        numbers = given.astype(np.int64)
        positions = np.asarray(positions, dtype=np.float64)
        positions = positions.reshape(-1, 3) if positions.size == 0 else positions
        cell = None if cell is None else np.asarray(cell, dtype=np.float64)
        charge = 0.0 if charge is None else float(charge)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{name} needs numbers for atoms, positions, cell, charge ({reason})"
                         ) from None
    if positions.ndim != 2 or positions.shape[1] != 3:
        raise InputError(f"{name} has positions of shape {positions.shape}, expected (n, 3)")
    if numbers.shape != (len(positions),) or (numbers != given).any():
        raise InputError(f"{name} has {len(positions)} positions for atomic numbers of shape "
                         f"{numbers.shape}, which must be whole")
    if cell is not None and cell.shape != (3, 3):
        raise InputError(f"{name} has a cell of shape {cell.shape}, expected (3, 3)")
    return numbers, positions, cell, charge
