# SPDX-License-Identifier: MIT
"""What one evaluation of a model costs: operations, bytes and memory, counted and not timed."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from pyfennix import units
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model
from pyfennix.models.pairs import build_pairs

DENSITY = 0.1  # atoms/Å³, of liquid water
_SIDE = 5  # atoms along an edge of the sample

# They move or make numbers, they compute none
_MOVING = (
    "copy", "clone", "cat", "stack", "index", "gather", "scatter", "select", "slice", "fill",
    "zero", "ones", "full", "empty", "arange", "contiguous", "repeat", "masked", "nonzero",
    "_to_copy", "sort", "searchsorted", "where", "new_",
)  # fmt: skip


@dataclass
class Cost:
    """Cost of energy, forces and virial, per atom.

    Attributes
    ----------
    atoms, density
        Size of the sample, and its atoms/Å³.
    pairs
        Directed pairs within the model's cutoff.
    matrix_operations, other_operations
        Floating-point operations in matrix products (a multiply-add counts two) and elsewhere (one
        for each number written or summed, whatever the function).
    bytes_moved
        Read and written by torch's operations if none were fused: an upper bound of the traffic.
    memory
        Bytes held at the worst moment, beyond the parameters.
    """

    atoms: int
    density: float
    pairs: float
    matrix_operations: float
    other_operations: float
    bytes_moved: float
    memory: float


def estimate_cost(model: Model) -> Cost:
    """Count one evaluation of a sample at the density of liquid water.

    The sample is a jittered grid of the model's elements, water's where it knows H and O, in a
    periodic box. What depends on the composition only is computed before the count begins.
    Compiled kernels are switched off while counting: they do the same work in fewer bytes.
    """
    numbers, positions, cell = sample(model)
    n = len(numbers)
    scale = units.length_in_angstrom(model.length_unit)
    positions, cell = positions / scale, cell / scale
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    pairs = build_pairs(positions, cell, model.cutoff)
    topology = Topology.from_csr(numbers, *pairs, n, n, n, None, 0.0, device)
    arguments = (topology, torch.as_tensor(positions, device=device),
                 torch.as_tensor(cell, device=device))
    native, model.native = model.native, False
    try:
        evaluate_topology(model, *arguments)
        with _Counter() as count:
            evaluate_topology(model, *arguments)
    finally:
        model.native = native
    return Cost(n, DENSITY, len(pairs[1]) / n, count.matrix / n, count.other / n,
                count.bytes / n, count.peak / n)


def sample(model: Model) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Atomic numbers (n,), positions (n, 3) and cell (3, 3) of the sample, Å."""
    known = (8, 1, 1) if model.elements is None else tuple(model.elements)[:4]
    if model.elements is None or {1, 8} <= set(model.elements):
        known = (8, 1, 1)
    random = np.random.default_rng(0)
    spacing = DENSITY ** (-1.0 / 3.0)
    grid = np.stack(np.meshgrid(*[np.arange(_SIDE)] * 3), -1).reshape(-1, 3)
    positions = (grid + 0.1 * random.uniform(-1, 1, grid.shape)) * spacing
    numbers = np.array([known[i % len(known)] for i in range(len(grid))])
    return numbers, positions, np.eye(3) * _SIDE * spacing


class _Counter(TorchDispatchMode):
    """Adds up what passes through torch's dispatcher, backward passes included."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = self.other = self.bytes = self.live = self.peak = 0
        self._held: set[int] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        written = [t for t in tree_leaves(result) if isinstance(t, torch.Tensor)]
        for tensor in written:
            self._hold(tensor)
        if getattr(function, "is_view", False):
            return result
        read = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        self.bytes += sum(t.numel() * t.element_size() for t in read + written)
        packet = function.overloadpacket
        if packet in flop_registry:
            self.matrix += flop_registry[packet](*args, **kwargs, out_val=result)
        elif not any(word in packet.__name__ for word in _MOVING):
            self.other += max((t.numel() for t in read + written if t.is_floating_point()),
                              default=0)
        return result

    def _hold(self, tensor: torch.Tensor) -> None:
        """Count a new piece of memory as held until it is freed."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._held or size == 0:
            return
        self._held.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._release, key, size)

    def _release(self, key: int, size: int) -> None:
        self._held.discard(key)
        self.live -= size
