# SPDX-License-Identifier: MIT
"""The tests of a fast model that the report shows: errors, a two-level run, its spectrum, cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pyfennix.distillation.difference import Histogram, by_element, by_magnitude
from pyfennix.distillation.heating import Heating, PowerSeries, heating_of
from pyfennix.distillation.sampling import Sampler
from pyfennix.distillation.spectrum import Spectrum, power_spectrum
from pyfennix.exceptions import FennixError, InputError
from pyfennix.fragments.molecules import find_molecules
from pyfennix.models.batch import evaluate_batch
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model
from pyfennix.models.pairs import build_pairs
from pyfennix.models.registry import load_model
from pyfennix.progress import Progress
from pyfennix.training.frames import Frame
from pyfennix.units import EV_IN_KCAL

_SKIN, _TURNS = 1.0, 9
# components of the force whose spectrum is taken, at most; fs of it at least, and fs of the series
# of all molecules together
_COMPONENTS, _SPECTRUM, _SERIES = 600, 600.0, 60000.0


@dataclass
class Cost:
    """Processor seconds of one evaluation, one thread, pair lists given."""

    atoms: int
    fast: float
    accurate: float

    @property
    def ratio(self) -> float:
        """How many fast evaluations one accurate one costs."""
        return self.accurate / self.fast

    def speedup(self, outer: float, substeps: int) -> float:
        """Bound of the speed over single steps of 1 fs: Δt / (1 + n c)."""
        return outer / (1.0 + substeps / self.ratio)


def frame_errors(fast: str, frames: Sequence[Frame]) -> dict:
    """Errors of forces on labelled frames, by element and by magnitude."""
    model = load_model(fast)
    found = [evaluate_batch(model, [(f.numbers, f.positions, f.cell, f.charge)])[0] for f in frames]
    trusted = [np.ones(len(f), bool) if f.weights is None else f.weights > 0 for f in frames]
    numbers = np.concatenate([f.numbers[t] for f, t in zip(frames, trusted, strict=True)])
    forces = np.concatenate([e.forces[t] / EV_IN_KCAL for e, t in zip(found, trusted, strict=True)])
    wanted = np.concatenate([f.forces[t] for f, t in zip(frames, trusted, strict=True)])
    error = 1e3 * (forces - wanted)
    return {"frames": len(frames), "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt((error**2).mean())), "unit": "meV/Å",
            "by_element": by_element(numbers, forces, wanted),
            "by_magnitude": by_magnitude(forces, wanted)}


def two_level_run(sampler: Sampler, fast: str) -> tuple[Histogram, dict]:
    """|ΔF| at every outer step of a run at the first temperature, and its temperature.

    A run that fails is a result too: ``failed`` of the facts says why. Differences while a start
    from elsewhere settles do not count.

    Raises
    ------
    InputError
        When the run cannot be begun for a reason other than the models.
    """
    s = sampler.settings
    steps = round(1000 * s.test / s.outer)
    histogram, temperatures, failed = Histogram(), [], ""
    begin: Frame | None = None
    progress = Progress(steps, "steps of the test")
    try:
        begin = sampler.settled(fast)
        with sampler.simulation(s.temperatures[0], fast, s.outer, s.substeps, s.friction, begin,
                                seed=s.seed + 1000) as sim:
            for step in range(1, steps + 1):
                sim.run(1)
                histogram.add(sim.numbers, sim.forces - sim.forces_fast)
                temperatures.append(sim.observables.get("temperature_mid", sim.temperature))
                progress.show(step)
    except InputError:
        raise
    except FennixError as error:
        failed = ("while its start settled" if begin is None
                  else f"after {len(temperatures)} of {steps} steps") + f": {error}"
        progress.note(f"the two-level run failed {failed}")
    late = temperatures[len(temperatures) // 4 :]
    return histogram, {"steps": len(temperatures), "ps": 1e-3 * s.outer * len(temperatures),
                       "outer_fs": s.outer, "substeps": s.substeps, "friction": s.friction,
                       "heavy_hydrogen": s.heavy_hydrogen, "failed": failed,
                       "mean_temperature_mid": float(np.mean(late)) if late else None,
                       "wanted_temperature": s.temperatures[0]}


def difference_spectrum(sampler: Sampler, fast: str) -> tuple[Spectrum, Heating]:
    """Spectrum of ΔF along dynamics in which every step is an outer one, and what it heats.

    Raises
    ------
    FennixError
        When the run fails.
    """
    s, atoms, begin = sampler.settings, sampler.atoms, sampler.settled(fast)
    dt = min(1.0, s.dt)
    molecule = find_molecules(begin.numbers, begin.positions, begin.cell).molecule
    molecules = int(molecule.max()) + 1
    steps = round(np.clip(_SERIES / molecules, _SPECTRUM, 10 * _SPECTRUM) / dt)
    before = round(1000 * s.equilibrate / dt)
    rng = np.random.default_rng(s.seed)
    chosen = rng.permutation(3 * len(atoms))[:_COMPONENTS]
    series, forces, warm, power = [], [], [], PowerSeries(molecule)
    progress = Progress(before + steps, "steps of the spectrum")
    with sampler.simulation(s.temperatures[0], fast, dt, 1, s.friction, begin,
                            seed=s.seed + 2000) as sim:
        sim.run(before)
        for step in range(1, steps + 1):
            sim.run(1)
            accurate = sim.forces
            difference = accurate - sim.forces_fast
            series.append(difference.ravel()[chosen])
            forces.append(accurate.ravel()[chosen])
            power.add(difference, sim.velocities)
            warm.append(sim.temperature)
            progress.show(before + step)
    return (power_spectrum(np.array(series), np.array(forces), dt),
            heating_of(np.array(power.values), len(atoms), dt, float(np.mean(warm))))


def compare_cost(fast: str, accurate: str | object, frame: Frame) -> Cost | None:
    """Cost of both models on one frame, in turns; None when one is no torch model."""
    models = [load_model(fast), load_model(accurate)]
    if not all(isinstance(model, Model) for model in models):
        return None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times: list[list[float]] = [[], []]
        tops = [_topology(model, frame) for model in models]
        cell = None if frame.cell is None else torch.tensor(frame.cell)
        rng = np.random.default_rng(0)
        for _ in range(_TURNS):
            for model, top, spent in zip(models, tops, times, strict=True):
                moved = torch.tensor(frame.positions + rng.normal(0, 0.01, frame.positions.shape))
                for _ in range(3):  # the first one meets caches that the other model has filled
                    begin = time.process_time()
                    evaluate_topology(model, top, moved, cell)
                    last = time.process_time() - begin
                spent.append(last)
    finally:
        torch.set_num_threads(threads)
    return Cost(len(frame), *(statistics.median(spent) for spent in times))


def _topology(model: Model, frame: Frame) -> Topology:
    n = len(frame)
    pairs = build_pairs(frame.positions, frame.cell, model.cutoff + _SKIN)
    return Topology.from_csr(frame.numbers, *pairs, n, n, n, None, frame.charge)
