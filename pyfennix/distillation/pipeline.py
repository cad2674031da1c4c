# SPDX-License-Identifier: MIT
"""The stages of a distillation, each kept on disk: sample, select, label, train, test, report."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from pyfennix.distillation.augment import moved_copies
from pyfennix.distillation.fragment_data import from_fragments
from pyfennix.distillation.holes import read_holes
from pyfennix.distillation.report import write_report
from pyfennix.distillation.sampling import Sampler
from pyfennix.distillation.selection import decorrelated, select_diverse
from pyfennix.distillation.settings import DistillSettings
from pyfennix.distillation.systems import read_system
from pyfennix.distillation.testing import (
    compare_cost,
    difference_spectrum,
    frame_errors,
    two_level_run,
)
from pyfennix.exceptions import InputError
from pyfennix.models.registry import load_model
from pyfennix.progress import Progress
from pyfennix.training.checkpoint import NAME
from pyfennix.training.frames import Frame
from pyfennix.training.readers import read_frames
from pyfennix.training.settings import TrainSettings
from pyfennix.training.store import read_store, write_store
from pyfennix.training.teacher import label
from pyfennix.training.trainer import train

_INTERVAL, _TEST_SHARE = 20.0, 0.2  # fs between frames; share of each run that is the test
# weight of the change of forces when bonds are stretched
_CHANGE = 5.0
# mended holes are a rare sort of frame: they make up at least this share of what is seen
_HOLE_SHARE = 0.3


def run_distillation(settings: DistillSettings) -> dict:
    """Make ``fast.fnx`` and its report in ``settings.folder``; returns what the report says.

    A distillation that was stopped goes on with the stage it was in.

    Raises
    ------
    InputError
        When the system, a file or a setting cannot be used.
    ModelError
        When a model cannot be read or fails.
    """
    settings.check()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    settings.folder.mkdir(parents=True, exist_ok=True)
    accurate = load_model(settings.accurate)
    samplers = [Sampler(settings, read_system(name, accurate), accurate, Path(name).stem)
                for name in settings.systems]
    stages = _Stages(settings, samplers, accurate)
    sizes = ", ".join(f"{s.name} ({len(s.atoms)} atoms)" for s in samplers)
    stages.say(f"{sizes}; accurate model {accurate.name}")
    training, test = stages.first_data()
    before = _hole_errors(settings.start, test) if settings.repair else None
    fast = stages.train(1, training, test, settings.start)
    for number in range(2, settings.rounds + 1):
        more, more_test = stages.more_data(number, fast)
        training, test = training + more, test + more_test
        fast = stages.train(number, training, test, fast)
    shutil.copy(fast, settings.folder / "fast.fnx")
    facts = stages.test(settings.folder / "fast.fnx", test)
    if before is not None:
        facts["repair"] = {"before": before, "after": _hole_errors(fast, test)}
    write_report(settings.folder, facts)
    stages.say(f"written: {settings.folder / 'fast.fnx'} and report.html beside it")
    return facts


class _Stages:
    """The stages with what they share."""

    def __init__(self, settings: DistillSettings, samplers: list[Sampler], accurate) -> None:
        self.settings, self.samplers, self.accurate = settings, samplers, accurate
        self.folder, self.begin = settings.folder, time.monotonic()

    def say(self, text: str) -> None:
        """A line with the minutes since the start."""
        print(f"[{(time.monotonic() - self.begin) / 60:5.1f} min] {text}", flush=True)

    def first_data(self) -> tuple[list[Frame], list[Frame]]:
        """Frames of the first round: dynamics with the accurate model, or files."""
        return self._kept(1, self._sample_first)

    def more_data(self, number: int, fast: str) -> tuple[list[Frame], list[Frame]]:
        """Frames of two-level dynamics with the fast model at hand."""

        def sample() -> tuple[list[Frame], list[Frame]]:
            training, test = [], []
            for sampler in self.samplers:
                runs = []
                for temperature in self.settings.temperatures:
                    self.say(f"round {number}: {sampler.name}, two-level dynamics at "
                             f"{temperature:g} K")
                    runs.append(sampler.double(temperature, fast, number, _INTERVAL))
                chosen = self._choose(runs, self.settings.frames_for(len(sampler.atoms)) // 2)
                training, test = training + chosen[0], test + chosen[1]
            return training, test

        return self._kept(number, sample)

    def _kept(self, number: int, make) -> tuple[list[Frame], list[Frame]]:
        """What a stage made, from its files if it was done before."""
        files = [self.folder / f"data{number}-{part}.h5" for part in ("training", "test")]
        if not all(file.is_file() for file in files):
            for file, frames in zip(files, make(), strict=True):
                write_store(file, frames)
        training, test = (read_store(file) for file in files)
        self.say(f"round {number}: {len(training)} frames to learn from, {len(test)} to test on")
        return training, test

    def _sample_first(self) -> tuple[list[Frame], list[Frame]]:
        s = self.settings
        training, test = [], []
        for runs in self._given() if s.trajectory else self._sampled():
            chosen = self._choose(runs, s.frames_for(len(runs[0][0])))
            training, test = training + chosen[0], test + chosen[1]
        if s.repair:
            mended, unseen = self._holes()
            repeat = max(1, round(_HOLE_SHARE / (1 - _HOLE_SHARE) * len(training) / len(mended)))
            training, test = training + mended * repeat, test + unseen
        return training, test

    def _sampled(self):
        """The runs of each system, by dynamics with the accurate model."""
        s = self.settings
        for sampler in self.samplers:
            runs = []
            for temperature in s.temperatures:
                self.say(f"{sampler.name}: dynamics with the accurate model at {temperature:g} K, "
                         f"{s.equilibrate + s.sample:g} ps")
                runs.append(sampler.single(temperature, _INTERVAL))
            yield runs

    def _given(self):
        """The frames in files, those of the same atoms together."""
        for name in self.settings.trajectory:
            same: dict[bytes, list[Frame]] = {}
            for frame in read_frames(name):
                same.setdefault(frame.numbers.tobytes(), []).append(frame)
            for frames in same.values():
                if not self.settings.fragments:
                    self._label([frame for frame in frames if frame.forces is None])
                yield [frames]

    def _holes(self) -> tuple[list[Frame], list[Frame]]:
        """Harvested frames, labelled: every second one to learn from with moved copies of it,
        the others to test on."""
        s = self.settings
        holes = [frame for name in s.repair for frame in read_holes(Path(name))]
        mended, unseen = holes[::2], holes[1::2]
        if not unseen:
            raise InputError(f"{s.repair[0]}: two frames are needed, one to learn from and one to "
                             "test on")
        mended = mended + moved_copies(mended, s.seed + 1)
        self._label(mended + unseen)
        return mended, unseen

    def _choose(self, runs: Sequence[list[Frame]], number: int) -> tuple[list, list]:
        """Diverse frames of all runs with moved copies, and the ends of the runs as test."""
        s = self.settings
        parts = [decorrelated([f for f in run if f.kind != "worst"], _TEST_SHARE) for run in runs]
        training = [f for run in runs for f in run if f.kind == "worst"]
        for first, _ in parts:
            training += select_diverse(first, max(1, number // len(runs)))
        test = [f for _, last in parts for f in last]
        if s.fragments:
            self.say(f"cutting {s.fragments} fragments from each of {len(training) + len(test)} "
                     "frames")
            return tuple(from_fragments(s, self.accurate, part) for part in (training, test))
        copies = moved_copies(training, s.seed)
        self._label(copies)
        return training + copies, test

    def _label(self, frames: list[Frame]) -> None:
        if frames:
            progress = Progress(len(frames), "frames labelled")
            label(self.accurate, frames, progress.show)

    def train(self, number: int, training: list[Frame], test: list[Frame], start: str) -> str:
        """Train a fast model in a folder of its own; its file."""
        s, folder = self.settings, self.folder / f"round{number}"
        folder.mkdir(exist_ok=True)
        files = [folder / "training.h5", folder / "test.h5"]
        if (folder / "done").exists():
            return str(folder / "model.fnx")
        resume = (folder / NAME).exists()
        if not resume:
            for file, frames in zip(files, (training, test), strict=True):
                write_store(file, frames)
        wanted = TrainSettings()
        wanted.model.shape, wanted.model.changes, wanted.model.start = s.shape, s.changes, start
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
            histogram, run = two_level_run(sampler, name)
            facts["difference"], facts["run"] = histogram.facts(), run
            facts["spectrum"] = difference_spectrum(sampler, name).facts()
        cost = compare_cost(name, self.accurate, sampler.last_frame())
        if cost is not None:
            facts["cost"] = {"atoms": cost.atoms, "fast_ms": 1e3 * cost.fast,
                             "accurate_ms": 1e3 * cost.accurate, "ratio": cost.ratio,
                             "speed_bound": cost.speedup(s.outer, s.substeps)}
        return facts


def _hole_errors(model: str, test: list[Frame]) -> dict:
    """Errors on the harvested frames that were kept for the test."""
    return frame_errors(model, [f for f in test if f.kind == "hole"])
