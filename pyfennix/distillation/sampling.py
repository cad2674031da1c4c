# SPDX-License-Identifier: MIT
"""Geometries from short dynamics, labelled by the forces that drove it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfennix import units
from pyfennix.distillation.selection import TRAINING_SHARE, in_parts
from pyfennix.distillation.settings import DistillSettings
from pyfennix.exceptions import FennixError, InputError
from pyfennix.progress import Progress
from pyfennix.simulation import Simulation
from pyfennix.training.frames import MADE, Frame
from pyfennix.training.readers import read_frames
from pyfennix.training.store import read_store, write_store

if TYPE_CHECKING:
    import ase

    from pyfennix.models.adapters.door import AnyModel

# friction of the sampling, 1/ps: geometries decorrelate, dynamics do not matter
_FRICTION = 5.0
# frames kept of two-level sampling because the two models differ most there
_WORST = 40


@dataclass
class Sampler:
    """Runs dynamics for a distillation; what a run gave is kept in a file and read back.

    Attributes
    ----------
    atoms
        The system; each run starts from its positions. ``info["charge"]`` is its total charge.
    accurate
        Model object, name or file.
    name
        Of the system, for files.
    """

    settings: DistillSettings
    atoms: ase.Atoms
    accurate: AnyModel | str
    name: str
    _given: Frame | None = field(default=None, repr=False)
    _settled: tuple[str, Frame] | None = field(default=None, repr=False)

    @property
    def charge(self) -> float:
        """Total charge in e: that of the settings, else the system's own."""
        given = self.settings.charge
        return float(self.atoms.info.get("charge", 0.0)) if given is None else given

    def single(self, temperature: float, interval: float) -> list[Frame]:
        """Frames every ``interval`` fs of dynamics with the accurate model alone, labelled."""
        name = f"{self.name}-accurate-{temperature:g}K"
        if not self._path(name).is_file():
            s = self.settings
            with self.simulation(temperature, None, s.dt, 1, _FRICTION) as sim:
                sim.run(round(1000 * s.equilibrate / s.dt), progress=True)
                frames = self._collect(sim, name, round(1000 * s.sample / s.dt),
                                       max(1, round(interval / s.dt)))
            self._keep(name, frames)
        return read_store(self._path(name))

    def double(self, temperature: float, fast: str, round_number: int,
               interval: float) -> list[Frame]:
        """Frames of two-level dynamics: regular ones, and those where the models differ most.

        A fast model may be bad enough for the run to fail: what there is until then counts.

        Raises
        ------
        FennixError
            When it fails at once.
        """
        name = f"{self.name}-round{round_number}-{temperature:g}K"
        if not self._path(name).is_file():
            s = self.settings
            steps = round(1000 * s.sample / s.outer)
            every = max(1, round(interval / s.outer))
            simulation = self.simulation(temperature, fast, s.outer, s.substeps, _FRICTION,
                                         self.start(), seed=s.seed + round_number)
            with simulation as sim:
                frames = self._collect(sim, name, steps, every, worst=True,
                                       before=round(1000 * s.equilibrate / s.outer))
            self._keep(name, frames)
        return read_store(self._path(name))

    def start(self) -> Frame:
        """Where later runs start: the last geometry that is learned from, of the run at the first
        temperature or of the first trajectory given with these atoms, else the system's own."""
        if self.is_settled:
            return in_parts(read_store(self._first_run))[0][-1]
        if self._given is None:
            self._given = self._of_trajectories()
        return self._given

    def settled(self, fast: str) -> Frame:
        """The start of a test at the first temperature; one from elsewhere is let settle with both
        models first.

        Raises
        ------
        FennixError
            When that run fails.
        """
        if self.is_settled:
            return self.start()
        if self._settled is None or self._settled[0] != fast:
            s, begin = self.settings, self.start()
            with self.simulation(s.temperatures[0], fast, s.outer, s.substeps, _FRICTION, begin,
                                 seed=s.seed + 3000) as sim:
                sim.run(round(1000 * s.equilibrate / s.outer))
                frame = Frame(begin.numbers, sim.positions, sim.cell, charge=self.charge)
            self._settled = (fast, frame)
        return self._settled[1]

    @property
    def is_settled(self) -> bool:
        """Whether :meth:`start` is from dynamics at the first temperature."""
        return self._first_run.is_file()

    @property
    def _first_run(self) -> Path:
        return self._path(f"{self.name}-accurate-{self.settings.temperatures[0]:g}K")

    def _of_trajectories(self) -> Frame:
        cell = np.array(self.atoms.cell) if self.atoms.pbc.any() else None
        own = Frame(np.asarray(self.atoms.numbers, dtype=np.int64), self.atoms.positions, cell,
                    charge=self.charge)
        for name in self.settings.trajectory:
            frames = [f for f in read_frames(name) if f.kind not in MADE
                      and np.array_equal(f.numbers, own.numbers)]
            if frames:
                return in_parts([f for f in frames if run_of(f) == run_of(frames[0])])[0][-1]
        return own

    def _path(self, name: str) -> Path:
        return self.settings.folder / f"{name}.h5"

    def _keep(self, name: str, frames: list[Frame]) -> None:
        if not frames:
            raise InputError(f"{name}: the dynamics was too short for a single frame; give "
                             "--sample more picoseconds")
        write_store(self._path(name), frames)

    def simulation(self, temperature: float, fast: str | None, dt: float, substeps: int,
                   friction: float, start: Frame | None = None, seed: int = 0) -> Simulation:
        """The system with this model or these two, from the positions of ``start``."""
        atoms = self.atoms.copy()
        if start is not None:
            atoms.positions = start.positions
            if start.cell is not None:
                atoms.cell = start.cell
        heavy = fast is not None and self.settings.heavy_hydrogen
        keywords = {"heavy-hydrogen": True} if heavy else {}
        return Simulation(
            atoms, accurate=self.accurate, fast=fast, dt=dt,
            substeps=None if fast is None else substeps, ensemble="nvt", temperature=temperature,
            friction=friction, seed=seed or self.settings.seed + round(temperature),
            charge=self.charge or None, threads=self.settings.threads or None, keywords=keywords,
        )

    def _collect(self, sim: Simulation, name: str, steps: int, every: int, worst: bool = False,
                 before: int = 0) -> list[Frame]:
        """Frames of a run that goes on for ``steps``, after ``before`` steps of equilibration.

        The worst frames are of that part of the run alone from which training frames are taken;
        of a run that failed, of the equilibration before as well.
        """
        frames: list[Frame] = []
        early, hardest = _Worst(), _Worst()
        done, failed = 0, False
        progress = Progress(before + steps, f"steps of {name}")
        for step in range(1 - before, steps + 1):
            try:
                sim.run(1)
            except FennixError as error:
                if not worst or not (early.found or frames):
                    raise
                failed = True
                progress.note(f"{name}: ended after {before + step - 1} steps ({error})")
                break
            done = step
            if step > 0 and step % every == 0:
                frames.append(snapshot(sim, self.atoms, name, "md", self.charge))
            if worst and step <= TRAINING_SHARE * steps:
                (hardest if step > 0 else early).add(
                    float(np.linalg.norm(sim.forces - sim.forces_fast, axis=1).max()), step,
                    lambda: snapshot(sim, self.atoms, name, "worst", self.charge))
            progress.show(before + step)
        # of a run that failed less is learned from than was planned
        worst_frames = hardest.until(TRAINING_SHARE * done)
        return frames + (worst_frames + early.until(0) * failed)[:_WORST]


class _Worst:
    """Those frames of a run at which the models differ most."""

    def __init__(self) -> None:
        self.found: list[tuple[float, int, Frame]] = []

    def add(self, gap: float, step: int, make: Callable[[], Frame]) -> None:
        """A step's largest difference; its frame is made if it is among the worst."""
        if len(self.found) < _WORST or gap > self.found[-1][0]:
            self.found = sorted([*self.found, (gap, step, make())], key=lambda x: -x[0])[:_WORST]

    def until(self, last: float) -> list[Frame]:
        """Frames of steps up to that one."""
        return [frame for _, step, frame in self.found if step <= last]


def run_of(frame: Frame) -> str:
    """The frame's run; frames of a file that names none follow each other in time."""
    return frame.run.partition("#")[0]


def snapshot(sim: Simulation, atoms: ase.Atoms, run: str, kind: str, charge: float) -> Frame:
    """The present geometry with the accurate model's labels, in eV and Å."""
    cell, per = sim.cell, units.EV_IN_KCAL
    try:
        virial = None if cell is None else sim.virial / per
    except InputError:  # an accurate model without a stress
        virial = None
    return Frame(np.asarray(atoms.numbers, dtype=np.int64), sim.positions, cell,
                 sim.energy.potential / per, sim.forces / per, virial, charge, run, None, kind)
