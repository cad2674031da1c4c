"""Evaluate a provider as the engine would: a request with its arrays, through the C function."""

from __future__ import annotations

import ctypes

import numpy as np

from pyfennix import seam
from pyfennix.callback import ProviderHandle
from pyfennix.models.pairs import build_pairs


class Case:
    """Request and result of one system (Å), kept with their arrays.

    Attributes
    ----------
    positions, forces
        (n, 3), shared with the provider.
    """

    def __init__(self, numbers, positions, cell=None, cutoff=6.0, charge=0.0):
        self.positions = np.array(positions, np.float64)
        n = len(self.positions)
        self.numbers = np.array(numbers, np.int32)
        self.ids = np.arange(n, dtype=np.int32)
        self.forces = np.full((n, 3), np.nan)
        self.atom_energy = np.full(n, np.nan)
        self.composition = np.bincount(self.numbers, minlength=seam.MAX_NUMBER + 1)
        self.composition = self.composition.astype(np.int64)
        self.request = seam.ForceRequest(
            version=seam.VERSION, level=1, wanted=7, n_local=n, n_center=n, n_total=n, n_global=n,
            periodic=(0,) * 3 if cell is None else (1,) * 3, total_charge=charge, cutoff=cutoff,
            number=self.numbers.ctypes.data, id=self.ids.ctypes.data,
            position=self.positions.ctypes.data, composition=self.composition.ctypes.data,
            cell=(0.0,) * 9 if cell is None else tuple(np.ravel(cell)),
        )
        self.result = seam.ForceResult(
            version=seam.VERSION, forces=self.forces.ctypes.data,
            atom_energy=self.atom_energy.ctypes.data,
        )
        self.cell = None if cell is None else np.array(cell, np.float64)
        self.list_pairs(cutoff)

    def list_pairs(self, cutoff):
        """Make the pair list anew, as the engine does when atoms have moved."""
        self.first, self.neighbor, self.shift = build_pairs(self.positions, self.cell, cutoff)
        request = self.request
        request.list_version += 1
        request.n_edges = len(self.neighbor)
        request.first = self.first.ctypes.data
        request.neighbor = self.neighbor.ctypes.data
        request.shift = self.shift.ctypes.data

    def call(self, handle: ProviderHandle) -> int:
        """Evaluate; returns the status."""
        function = seam.ForceFunction(handle.record.force)
        return function(None, ctypes.byref(self.request), ctypes.byref(self.result))

    @property
    def virial(self):
        """(3, 3) as the provider left it."""
        return np.array(self.result.virial).reshape(3, 3)


def message(handle: ProviderHandle, size: int = 1024) -> str:
    """The text of a failure, fetched as the engine fetches it."""
    buffer = ctypes.create_string_buffer(size)
    seam.MessageFunction(handle.record.message)(None, ctypes.addressof(buffer), size)
    return buffer.value.decode()
