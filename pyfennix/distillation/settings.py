# SPDX-License-Identifier: MIT
"""What a distillation is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from pyfennix.exceptions import InputError
from pyfennix.models.registry import checkpoint_file
from pyfennix.training.shapes import SHAPES


@dataclass
class DistillSettings:
    """Settings of :func:`pyfennix.distill`; the defaults suit a box of water.

    Attributes
    ----------
    systems
        Each NAME or NAME.key with NAME.xyz beside it, or a structure file that ASE reads. All are
        learned from; the first is the one that is tested.
    accurate
        Name or file of the accurate model, or a model object.
    folder
        Where everything is written; a distillation that was stopped goes on there.
    start
        A fast model whose weights to start from (fine-tuning).
    repair
        NAME.holes.h5 files of runs with ``harvest-force``.
    trajectory
        Geometries to take instead of sampling them (any file of ``pyfennix train``).
    temperatures
        K; the first is the one the model is meant for and is tested at.
    equilibrate, sample
        ps of dynamics at each temperature before frames are taken, and during it.
    dt
        fs, step of the sampling with the accurate model alone.
    outer, substeps
        fs and number of inner steps of two-level runs, in later rounds and in the test.
    frames
        Geometries selected in all; 0 chooses by size.
    rounds
        Trainings; between two, dynamics with the fast model at hand adds frames where it fails.
    steps
        Optimiser steps of the first training; later rounds take half.
    test
        ps of the two-level run that is reported; 0 leaves it out.
    fragments
        Spheres cut from each geometry instead of labelling it whole; 0 means whole.
    margin
        Å around the inner atoms of a fragment; None is exact, twice the model's range.
    charge
        Total charge in e; None takes that of the system's file.
    heavy_hydrogen
        Whether two-level runs have hydrogens of 4 g/mol.
    """

    systems: list[str]
    accurate: object
    folder: Path
    start: str = ""
    repair: list[str] = field(default_factory=list)
    trajectory: list[str] = field(default_factory=list)
    temperatures: list[float] = field(default_factory=lambda: [300.0, 400.0, 550.0])
    equilibrate: float = 0.5
    sample: float = 2.5
    dt: float = 1.0
    outer: float = 3.0
    substeps: int = 3
    friction: float = 1.0
    frames: int = 0
    rounds: int = 2
    steps: int = 20000
    batch_atoms: int = 512
    learning_rate: float = 3e-3
    test: float = 2.0
    fragments: int = 0
    margin: float | None = None
    inner_radius: float = 4.0
    shape: str = "fast"
    changes: dict = field(default_factory=dict)
    heavy_hydrogen: bool = False
    charge: float | None = None
    threads: int = 0
    seed: int = 1

    def check(self) -> None:
        """InputError, one sentence, for what cannot be done."""
        for name in ("repair", "trajectory", "temperatures", "systems"):
            if not isinstance(getattr(self, name), list | tuple):
                raise InputError(f"{name} must be a list, got {getattr(self, name)!r}")
        positive = ("sample", "dt", "outer", "substeps", "rounds", "steps", "batch_atoms",
                    "learning_rate", "inner_radius", "friction")
        for name in positive:
            if not getattr(self, name) > 0:
                raise InputError(f"--{name.replace('_', '-')} must be positive, "
                                 f"got {getattr(self, name)}")
        for name in ("equilibrate", "test", "frames", "fragments", "threads", "seed"):
            if getattr(self, name) < 0:
                raise InputError(f"--{name} must not be negative, got {getattr(self, name)}")
        if not self.systems:
            raise InputError("no system is named to distil for")
        if not self.temperatures or not all(t > 0 for t in self.temperatures):
            raise InputError(f"--temperatures must be positive, got {self.temperatures}")
        if 0 < self.test < 0.5e-3 * self.outer:
            raise InputError(f"--test {self.test} ps is shorter than one outer step of {self.outer}"
                             " fs; 0 leaves the test out")
        if self.repair and not self.start:
            raise InputError("--repair needs --start FAST.fnx, the fast model to mend")
        if self.start and self.shape != DistillSettings.shape:
            raise InputError(f"--shape {self.shape} cannot be had with --start: {self.start} has "
                             "its shape already")
        if self.start and self.changes:
            raise InputError(f"the sizes of {self.start}, which --start goes on from, cannot be "
                             "changed")
        if self.shape not in SHAPES:
            raise InputError(f"--shape {self.shape} is unknown: there are {', '.join(SHAPES)}")
        for name in (*self.repair, *([str(checkpoint_file(self.start))] if self.start else [])):
            if not Path(name).is_file():
                raise InputError(f"{name}: the file does not exist")
        if find_spec("matplotlib") is None:
            raise InputError("the report needs matplotlib: pip install 'pyfennix[train]'")

    def frames_for(self, n_atoms: int) -> int:
        """Geometries to select for a system of that size."""
        return self.frames or int(min(2000, max(150, 120_000 / max(n_atoms, 1))))
