# SPDX-License-Identifier: MIT
"""Cost of the bridge itself: one evaluation by a provider whose model does nothing but copy.

Prints microseconds per evaluation for the call alone, with the engine's arrays as tensors, for
the same copy between two tensors without the bridge, and for a whole step of the engine around it
(velocity Verlet, pair lists included).

    python benchmarks/bridge.py
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable

import numpy as np
import torch

from pyfennix import seam
from pyfennix.callback import ProviderHandle
from pyfennix.engine import Engine
from pyfennix.host import Attachment

SIZES = ((648, 32_400), (25_000, 1_250_000))


class Case:
    """An engine's request and result of `n` atoms and `n_edges` pairs, with their arrays."""

    def __init__(self, n: int, n_edges: int):
        rng = np.random.default_rng(0)
        self.positions = rng.random((n, 3))
        self.forces = np.zeros((n, 3))
        self.numbers = np.full(n, 8, np.int32)
        self.ids = np.arange(n, dtype=np.int32)
        self.first = np.linspace(0, n_edges, n + 1).astype(np.int32)
        self.neighbor = rng.integers(0, n, n_edges, dtype=np.int32)
        self.shift = np.zeros((n_edges, 3), np.int32)
        self.composition = np.zeros(seam.MAX_NUMBER + 1, np.int64)
        self.composition[8] = n
        self.request = seam.ForceRequest(
            version=seam.VERSION, level=1, wanted=seam.WANT_ENERGY | seam.WANT_FORCES,
            n_local=n, n_center=n, n_total=n, n_global=n, list_version=1, n_edges=n_edges,
            number=self.numbers.ctypes.data, id=self.ids.ctypes.data,
            position=self.positions.ctypes.data, composition=self.composition.ctypes.data,
            first=self.first.ctypes.data, neighbor=self.neighbor.ctypes.data,
            shift=self.shift.ctypes.data,
        )
        self.result = seam.ForceResult(version=seam.VERSION, forces=self.forces.ctypes.data)

    def caller(self, handle: ProviderHandle) -> Callable[[], int]:
        """The provider's C function as the engine has it: an address and nothing else."""
        function = seam.ForceFunction(handle.record.force)
        request, result = ctypes.byref(self.request), ctypes.byref(self.result)

        def call() -> int:
            return function(None, request, result)

        call.kept = handle  # the address alone would not keep the provider alive
        return call


def nothing(_request: object, _result: object, _arrays: object) -> float:
    """A model that does not even look."""
    return 0.0


def nothing_moves(_request: object, _result: object, arrays: object) -> float:
    """Forces of zero."""
    arrays.forces.zero_()
    return 0.0


def copies(_request: object, _result: object, arrays: object) -> float:
    """The least a model can do: read every position, write every force."""
    arrays.forces.copy_(arrays.positions)
    return 0.0


def plain_copy(case: Case) -> Callable[[], object]:
    """The same copy between two torch tensors that were there all the time."""
    source, target = torch.from_numpy(case.positions), torch.from_numpy(case.forces)
    return lambda: target.copy_(source)


def engine_step(n: int) -> tuple[float, float]:
    """Least and median time of a step of free atoms at the density of water, µs."""
    side = (10.0 * n) ** (1.0 / 3.0)
    per_side = int(np.ceil(n ** (1.0 / 3.0)))
    grid = np.stack(np.meshgrid(*[np.arange(per_side)] * 3), -1).reshape(-1, 3)[:n]
    keywords = "ml-model null\nensemble nve\ntimestep 1.0\ntemperature 300\nrandomseed 1\n"
    engine = Engine.from_arrays(
        ["bench"], keywords, "", np.full(n, 8), (grid + 0.5) * side / per_side, None, None,
        np.eye(3) * side,
    )
    engine.attach(Attachment([ProviderHandle(nothing_moves, "null", 5.0)]))
    engine.prepare()
    blocks = []
    for _ in range(10):
        begin = time.perf_counter()
        engine.run(20)
        blocks.append((time.perf_counter() - begin) / 20 * 1e6)
    engine.close()
    return min(blocks), float(np.median(blocks))


def microseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Least and median time of a call over half a second."""
    times = []
    end = time.perf_counter() + 0.5
    while time.perf_counter() < end:
        begin = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - begin) * 1e-3)
    return min(times), float(np.median(times))


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    head = f"{'atoms':>8s}{'pairs':>10s}{'least':>9s}{'median':>9s}"
    print(f"{'microseconds per evaluation':36s}{head}")
    for n, n_edges in SIZES:
        case = Case(n, n_edges)
        rows = {
            "call alone": case.caller(ProviderHandle(nothing, "nothing", 5.0)),
            "call, positions to forces": case.caller(ProviderHandle(copies, "copies", 5.0)),
            "the same copy without the bridge": plain_copy(case),
        }
        for name, call in rows.items():
            least, median = microseconds(call)
            print(f"{name:36s}{n:8d}{n_edges:10d}{least:9.1f}{median:9.1f}")
        least, median = engine_step(n)
        print(f"{'whole step of the engine':36s}{n:8d}{'':10s}{least:9.1f}{median:9.1f}")


if __name__ == "__main__":
    main()
