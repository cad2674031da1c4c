# SPDX-License-Identifier: MIT
"""The frames of each round of a distillation, divided into training, validation and test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pyfennix.distillation.augment import moved_copies
from pyfennix.distillation.fragment_data import from_fragments
from pyfennix.distillation.holes import read_holes
from pyfennix.distillation.sampling import Sampler, run_of
from pyfennix.distillation.selection import in_parts, select_diverse
from pyfennix.distillation.settings import DistillSettings
from pyfennix.models.adapters.door import AnyModel
from pyfennix.progress import Progress
from pyfennix.training.frames import MADE, Frame
from pyfennix.training.readers import read_all
from pyfennix.training.teacher import label

_INTERVAL = 20.0  # fs between frames
# mended holes are a rare sort of frame: they make up at least this share of what is seen
_HOLE_SHARE = 0.3


class Parts(NamedTuple):
    """Frames to learn from, to choose the best weights by, and to test on."""

    training: list[Frame]
    validation: list[Frame]
    test: list[Frame]

    def joined(self, other: Parts) -> Parts:
        """Both, part by part."""
        return Parts(*(a + b for a, b in zip(self, other, strict=True)))


class Supply:
    """Makes frames, by dynamics or from files.

    Parameters
    ----------
    say
        Told what is done.
    """

    def __init__(self, settings: DistillSettings, samplers: list[Sampler], accurate: AnyModel,
                 say: Callable[[str], None]) -> None:
        self.settings, self.samplers, self.accurate = settings, samplers, accurate
        self.say = say

    def first(self) -> Parts:
        """Frames of the first round: dynamics with the accurate model, or files; and holes."""
        s, found = self.settings, Parts([], [], [])
        for runs in self._given() if s.trajectory else self._sampled():
            found = found.joined(self._choose(runs, s.frames_for(len(runs[0][0]))))
        if s.repair:
            holes = self._holes()
            repeat = round(_HOLE_SHARE / (1 - _HOLE_SHARE) * len(found.training)
                           / len(holes.training))
            # a family for each time, else all of them would be one unit of the drawing
            again = [replace(f, family=f.family and f"{f.family}.{k}", cache={})
                     for k in range(max(1, repeat)) for f in holes.training]
            found = Parts(found.training + again, found.validation, found.test + holes.test)
        return found

    def more(self, number: int, fast: str) -> Parts:
        """Frames of a later round: two-level dynamics with the fast model at hand."""
        s, found = self.settings, Parts([], [], [])
        for sampler in self.samplers:
            runs = []
            for temperature in s.temperatures:
                self.say(f"round {number}: {sampler.name}, two-level dynamics at {temperature:g} K")
                runs.append(sampler.double(temperature, fast, number, _INTERVAL))
            count = s.frames_for(len(sampler.atoms)) // 2
            found = found.joined(self._choose(runs, count))
        return found

    def _sampled(self) -> Iterator[list[list[Frame]]]:
        """The runs of each system, by dynamics with the accurate model."""
        s = self.settings
        for sampler in self.samplers:
            runs = []
            for temperature in s.temperatures:
                self.say(f"{sampler.name}: dynamics with the accurate model at {temperature:g} K, "
                         f"{s.equilibrate + s.sample:g} ps")
                runs.append(sampler.single(temperature, _INTERVAL))
            yield runs

    def _given(self) -> Iterator[list[list[Frame]]]:
        """The geometries in files, run by run, those of the same atoms together.

        Whatever labels they have are another model's: all are labelled anew.
        """
        same: dict[bytes, dict[str, list[Frame]]] = {}
        for frame in read_all(self.settings.trajectory):
            if frame.kind in MADE:
                continue
            frame.weights = None
            frame.charge = frame.charge or self.samplers[0].charge
            runs = same.setdefault(frame.numbers.tobytes(), {})
            runs.setdefault(run_of(frame), []).append(frame)
        for runs in same.values():
            if not self.settings.fragments:
                self._label([frame for run in runs.values() for frame in run])
            yield list(runs.values())

    def _holes(self) -> Parts:
        """Harvested frames, labelled, with moved copies of those to learn from.

        Consecutive steps are the same event: whole events are learned from or tested on.
        """
        s = self.settings
        events: dict[str, list[Frame]] = {}
        charge = self.samplers[0].charge
        for frame in read_all(s.repair, lambda name: read_holes(Path(name), charge)):
            events.setdefault(frame.run, []).append(frame)
        groups = list(events.values())
        if len(groups) == 1:
            self.say("the harvested frames are one event: its later half is the test, which "
                     "flatters")
            middle = (len(groups[0]) + 1) // 2
            groups = [groups[0][:middle], groups[0][middle:]]
        mended = [frame for group in groups[::2] for frame in group]
        unseen = [frame for group in groups[1::2] for frame in group]
        mended = mended + moved_copies(mended, s.seed + 1)
        self._label(mended + unseen)
        return Parts(mended, [], unseen)

    def _choose(self, runs: Iterable[list[Frame]], number: int) -> Parts:
        """Diverse frames of all runs with moved copies; what to choose and test by."""
        s, runs = self.settings, list(runs)
        parts = [in_parts([f for f in run if f.kind != "worst"]) for run in runs]
        training = [f for run in runs for f in run if f.kind == "worst"]
        for first, *_ in parts:
            training += select_diverse(first, max(1, number // len(runs)))
        found = Parts(training, *([f for part in parts for f in part[k]] for k in (1, 2)))
        if s.fragments:
            self.say(f"cutting {s.fragments} fragments from each of {sum(map(len, found))} frames")
            return Parts(*(from_fragments(s, self.accurate, part) for part in found))
        copies = moved_copies(training, s.seed)
        self._label(copies)
        return found._replace(training=training + copies)

    def _label(self, frames: list[Frame]) -> None:
        if frames:
            progress = Progress(len(frames), "frames labelled")
            label(self.accurate, frames, progress.show)
