# SPDX-License-Identifier: MIT
"""A force provider as the engine calls it: a C function over views of the engine's own memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
import torch

from pyfennix import seam
from pyfennix.exceptions import ModelError
from pyfennix.failure import Failure, short_bytes


def view(address: int | None, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Numpy view of the engine's memory, without a copy; empty shapes may have no address."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size == 0:
        return np.zeros(shape, dtype)
    if not address:
        raise ModelError("the engine passed no address for an array it must give")
    memory = (ctypes.c_char * size).from_address(address)
    return np.frombuffer(memory, dtype).reshape(shape)


class Arrays:
    """Views of one evaluation's arrays; valid while the engine keeps the same buffers.

    Attributes
    ----------
    numbers, ids
        (n_total,) int32.
    positions, forces
        (n_total, 3) float64 tensors on the CPU that share the engine's memory, Å and kcal/mol/Å.
    atom_energy
        (n_local,) float64 tensor sharing the engine's memory, or None when it is not wanted.
    """

    def __init__(self, request: seam.ForceRequest, result: seam.ForceResult):
        n = request.n_total
        self.numbers = view(request.number, (n,), np.int32)
        self.ids = view(request.id, (n,), np.int32)
        self.positions = torch.from_numpy(view(request.position, (n, 3), np.float64))
        self.forces = torch.from_numpy(view(result.forces, (n, 3), np.float64))
        self.atom_energy = None
        if result.atom_energy:
            local = view(result.atom_energy, (request.n_local,), np.float64)
            self.atom_energy = torch.from_numpy(local)


# Writes arrays.forces and result.virial as wanted, returns the energy; kcal/mol and Å
Compute = Callable[[seam.ForceRequest, seam.ForceResult, Arrays], float]


class ProviderHandle:
    """A force provider for the engine; keep it as long as the engine may call it.

    Parameters
    ----------
    compute
        Called for every evaluation with the request, the result and views of the arrays.
    label
        What is printed about it.
    cutoff, interaction_range
        Reach of the pair list (0: no list, the whole system is seen), and how far an atom's
        energy sees, Å.
    elements
        Atomic numbers it accepts; None means all.
    traits
        Sum of seam.CONSERVATIVE, seam.USES_CHARGE, seam.EXCHANGES, seam.NO_VIRIAL.
    culprit
        The user's object that errors are blamed on.
    center_range
        How far outside a domain ghosts need their own neighbours listed, unless features are
        exchanged, Å.
    """

    def __init__(
        self,
        compute: Compute,
        label: str,
        cutoff: float,
        interaction_range: float | None = None,
        elements: tuple[int, ...] | None = None,
        traits: int = seam.CONSERVATIVE,
        culprit: object = None,
        center_range: float = 0.0,
    ):
        self.label = label
        self.failure = Failure(f"the evaluation of {label.split(' (')[0]}", culprit)
        self._compute = compute
        self._key: tuple | None = None
        self._arrays: Arrays | None = None
        self._function = seam.ForceFunction(self._force)
        self.record = record = seam.ProviderRecord()
        record.version = seam.VERSION
        record.traits = traits
        record.force = seam.pointer(self._function)
        record.message = seam.pointer(self.failure.message)
        record.cutoff = cutoff
        record.range = cutoff if interaction_range is None else interaction_range
        record.center_range = center_range
        for number in range(seam.MAX_NUMBER + 1):
            record.element[number] = elements is None or number in elements
        record.label = short_bytes(label, seam.LABEL_SIZE)

    @property
    def address(self) -> int:
        """Address of the provider_record."""
        return ctypes.addressof(self.record)

    def _force(self, _context, request_pointer, result_pointer) -> int:
        """The C function: status 0, or 1 with the text kept for `message`."""
        try:
            request, result = request_pointer.contents, result_pointer.contents
            key = (
                request.position,
                result.forces,
                request.number,
                request.n_total,
                request.n_local,
                result.atom_energy,
            )
            arrays = self._arrays
            if arrays is None or key != self._key:
                arrays = self._arrays = Arrays(request, result)
                self._key = key
            result.energy = self._compute(request, result, arrays)
        except BaseException as error:  # also KeyboardInterrupt: nothing may cross Fortran
            return self.failure.note(error)
        return 0
