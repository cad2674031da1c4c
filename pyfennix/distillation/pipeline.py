# SPDX-License-Identifier: MIT
"""The stages of a distillation, each kept on disk: sample, select, label, train, test, report."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from pyfennix.distillation.data import Parts, Supply
from pyfennix.distillation.handing_out import hand_out
from pyfennix.distillation.report import write_report
from pyfennix.distillation.sampling import Sampler
from pyfennix.distillation.settings import DistillSettings
from pyfennix.distillation.systems import read_systems
from pyfennix.distillation.testing import (
    compare_cost,
    difference_spectrum,
    frame_errors,
    two_level_run,
)
from pyfennix.distillation.unchanged import as_begun, refuse_changes
from pyfennix.exceptions import FennixError, InputError
from pyfennix.models.registry import load_model
from pyfennix.training.checkpoint import NAME
from pyfennix.training.frames import Frame
from pyfennix.training.settings import TrainSettings
from pyfennix.training.store import read_store, write_store
from pyfennix.training.trainer import train

# weight of the change of forces when bonds are stretched
_CHANGE = 5.0


def run_distillation(settings: DistillSettings) -> dict:
    """Make ``fast.fnx`` and its report in ``settings.folder``; returns what the report says.

    A distillation that was stopped goes on with the stage it was in.

    Raises
    ------
    InputError
        When the system, a file or a setting cannot be used, or the folder is another's.
    ModelError
        When a model cannot be read or fails.
    """
    settings.check()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    accurate = load_model(settings.accurate)
    systems = read_systems(settings.systems)
    settings.folder.mkdir(parents=True, exist_ok=True)
    refuse_changes(settings, accurate)
    samplers = [Sampler(settings, as_begun(settings.folder, name, atoms), accurate, name)
                for name, atoms in systems]
    stages = _Stages(settings, samplers, accurate)
    sizes = ", ".join(f"{s.name} ({len(s.atoms)} atoms)" for s in samplers)
    stages.say(f"{sizes}; accurate model {accurate.name}")
    data = stages.data(1)
    before = _hole_errors(settings.start, data.test) if settings.repair else None
    fast = stages.train(1, data, settings.start)
    for number in range(2, settings.rounds + 1):
        data = data.joined(stages.data(number, fast))
        fast = stages.train(number, data, fast)
    hand_out(Path(fast), settings.folder / "fast.fnx", accurate, [s.name for s in samplers],
             energies=any(f.energy is not None for f in data.training))
    facts = stages.test(settings.folder / "fast.fnx", data.test)
    if before is not None:
        facts["repair"] = {"before": before, "after": _hole_errors(fast, data.test)}
    write_report(settings.folder, facts)
    stages.say(f"written: {settings.folder / 'fast.fnx'} and report.html beside it")
    return facts


class _Stages:
    """The stages with what they share."""

    def __init__(self, settings: DistillSettings, samplers: list[Sampler], accurate) -> None:
        self.settings, self.samplers, self.accurate = settings, samplers, accurate
        self.folder, self.begin = settings.folder, time.monotonic()
        self.supply = Supply(settings, samplers, accurate, self.say)

    def say(self, text: str) -> None:
        """A line with the minutes since the start."""
        print(f"[{(time.monotonic() - self.begin) / 60:5.1f} min] {text}", flush=True)

    def data(self, number: int, fast: str = "") -> Parts:
        """The frames of a round, from its files if it was done before."""
        files = [self.folder / f"data{number}-{part}.h5" for part in Parts._fields]
        if not all(file.is_file() for file in files):
            made = self.supply.more(number, fast) if number > 1 else self.supply.first()
            for name, frames in zip(Parts._fields, made, strict=True):
                if not frames and number == 1:
                    raise InputError(f"there are too few frames for a {name} part: sample more "
                                     "picoseconds or give longer trajectories")
            for file, frames in zip(files, made, strict=True):
                write_store(file, frames)
        found = Parts(*(read_store(file, empty=number > 1) for file in files))
        self.say(f"round {number}: {len(found.training)} frames to learn from, "
                 f"{len(found.validation)} to choose by, {len(found.test)} to test on")
        return found

    def train(self, number: int, data: Parts, start: str) -> str:
        """Train a fast model in a folder of its own; its file."""
        s, folder = self.settings, self.folder / f"round{number}"
        folder.mkdir(exist_ok=True)
        files = [folder / "training.h5", folder / "validation.h5"]
        if (folder / "done").exists():
            return str(folder / "model.fnx")
        resume = (folder / NAME).exists()
        if not resume:
            for file, frames in zip(files, data, strict=False):
                write_store(file, frames)
        wanted = TrainSettings()
        wanted.model.shape, wanted.model.start = s.shape, start
        wanted.model.changes = {} if start else s.changes
        wanted.data.train, wanted.data.validation = [str(files[0])], [str(files[1])]
        wanted.data.max_force, wanted.loss.change = 100.0, _CHANGE
        later = number > 1 or bool(start)
        wanted.optimizer.steps = max(1, s.steps // 2) if later else s.steps
        wanted.optimizer.learning_rate = s.learning_rate * (0.3 if later else 1.0)
        wanted.optimizer.batch_atoms, wanted.optimizer.seed = s.batch_atoms, s.seed
        wanted.run.check_every = max(1, wanted.optimizer.steps // 10)
        self.say(f"round {number}: training, {wanted.optimizer.steps} steps")
        train(wanted, folder, resume)
        (folder / "done").touch()
        return str(folder / "model.fnx")

    def test(self, fast: Path, test: list[Frame]) -> dict:
        """Everything the report shows."""
        s, name = self.settings, str(fast)
        facts: dict = {
            "system": " ".join(s.systems), "accurate": self.accurate.name, "rounds": s.rounds,
            "errors": frame_errors(name, test),
        }
        sampler = self.samplers[0]
        if s.test > 0:
            self.say(f"two-level run of {s.test:g} ps with steps of {s.outer:g} fs "
                     f"({s.substeps} inner ones)")
            histogram, facts["run"] = two_level_run(sampler, name)
            facts["difference"] = histogram.facts()
            facts["difference"]["refused"] |= bool(facts["run"]["failed"])
            try:
                spectrum, heating = difference_spectrum(sampler, name)
                facts["spectrum"] = spectrum.facts()
                facts["heating"] = heating.facts(s.friction, spectrum.longest_step)
            except FennixError as error:
                self.say(f"no spectrum: {error}")
        # a system that is cut into fragments may be too big to be evaluated
        cost = compare_cost(name, self.accurate, test[0] if s.fragments else sampler.start())
        if cost is not None:
            facts["cost"] = {"atoms": cost.atoms, "fast_ms": 1e3 * cost.fast,
                             "accurate_ms": 1e3 * cost.accurate, "ratio": cost.ratio,
                             "speed_bound": cost.speedup(s.outer, s.substeps)}
        return facts


def _hole_errors(model: str, test: list[Frame]) -> dict:
    """Errors on the harvested frames that were kept for the test."""
    return frame_errors(model, [f for f in test if f.kind == "hole"])
