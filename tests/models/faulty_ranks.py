"""Potentials that fail on rank 1 only, after some evaluations; the others know nothing of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import torch
from pairs import Accurate

from pyfennix.models.registry import load_model

RANK = int(os.environ.get("OMPI_COMM_WORLD_RANK", "0"))
GOOD = 12  # evaluations before the failure
HEALTHY = "PYFENNIX_TEST_HEALTHY"  # set in the environment: nothing fails


def turn(calls: int) -> bool:
    """Whether it is time to fail; leaves a file that says since when."""
    if RANK != 1 or calls <= GOOD or HEALTHY in os.environ:
        return False
    Path("failed").touch()
    return True


class _Counting(Accurate):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, graph):
        """As Accurate, until it is this rank's turn."""
        self.calls += 1
        energies = super().forward(graph)
        return self.fail(energies) if turn(self.calls) else energies


class Raises(_Counting):
    """An exception of its own."""

    def fail(self, energies):
        """Never returns."""
        raise ValueError("this rank has had enough")


class NotANumber(_Counting):
    """NaN."""

    def fail(self, energies):
        """No numbers."""
        return energies * float("nan")


class Killed(_Counting):
    """The process is gone."""

    def fail(self, energies):
        """Never returns."""
        os.kill(os.getpid(), signal.SIGKILL)
        return energies


def before_exchange():
    """The accurate water model, which fails before its two layers exchange features."""
    return _failing_raster(before=True)


def after_exchange():
    """The same, failing between the exchange and the energy."""
    return _failing_raster(before=False)


def _failing_raster(before: bool) -> torch.nn.Module:
    model = load_model("water-accurate", dtype="float64")
    raster = model.parts["embedding"]
    fill, calls = raster.fill_ghosts, [0]

    def failing(*arguments):
        calls[0] += 1
        now = turn(calls[0])
        if now and before:
            raise ValueError("this rank has had enough")
        filled = fill(*arguments)
        if now:
            raise ValueError("this rank has had enough")
        return filled

    raster.fill_ghosts = failing
    return model
