# SPDX-License-Identifier: MIT
"""A process that times what it is told over a pipe, and its parent's end of that pipe.

The worker runs in any interpreter: this file needs numpy only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

NOISE = 0.01  # Å; every call sees new positions, so that nothing can be remembered


class Positions:
    """The positions of a box, disturbed anew at each call."""

    def __init__(self, positions: np.ndarray, seed: int = 0):
        self.exact = positions
        self._rng = np.random.default_rng(seed)

    def next(self) -> np.ndarray:
        """(n, 3) float64, Å."""
        return self.exact + NOISE * self._rng.normal(size=self.exact.shape)


def timed(call: Callable[[], object]) -> dict[str, float]:
    """Wall and process CPU seconds of a call."""
    begin = time.perf_counter(), time.process_time()
    call()
    end = time.perf_counter(), time.process_time()
    return {"wall": end[0] - begin[0], "cpu": end[1] - begin[1]}


def peak_memory() -> dict[str, float]:
    """Largest resident memory since the start or the last :func:`forget_peak`, GB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return {"peak": int(line.split()[1]) * 1024 / 1e9}
    raise OSError("this kernel does not tell the peak of the resident memory")


def forget_peak() -> dict:
    """Start counting the peak from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")
    return {}


def serve(commands: dict[str, Callable[[], dict]]) -> None:
    """Answer each line, a command's name, with a line of JSON, until the pipe closes."""
    commands = {"memory": peak_memory, "forget": forget_peak, **commands}
    answers, sys.stdout = sys.stdout, sys.stderr  # nobody else may write into the pipe
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(commands[line.strip()]()), file=answers, flush=True)


class Worker:
    """The parent's end: one live process, bound to a number of cores."""

    def __init__(self, python: str | Path, script: str, words: list[str], threads: int):
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        self._process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, cores)), str(python),
             str(Path(__file__).with_name(script)), *words, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self._answer()

    def ask(self, command: str) -> dict:
        """Send a command and wait for its answer."""
        print(command, file=self._process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker ended early: {self._process.args}")
        return json.loads(line)
