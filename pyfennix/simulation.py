# SPDX-License-Identifier: MIT
"""Molecular dynamics from Python: the pleasant face of the Fortran engine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfennix import start
from pyfennix.exceptions import InputError
from pyfennix.progress import Progress
from pyfennix.state import Energy, Frame

if TYPE_CHECKING:
    import ase
    import mpi4py.MPI
    from ase.calculators.calculator import BaseCalculator

    from pyfennix.models.adapters.door import AnyModel


class Simulation:
    """A molecular dynamics run that is stepped from Python.

    Two ways to make one::

        Simulation("water.key")                   # what `fennix-dynamic water` would run
        Simulation(atoms, accurate="water-accurate", fast="water-fast", dt=4.0, substeps=4)

    Parameters
    ----------
    system
        Path of a keyfile whose structure file lies beside it, or ASE Atoms, periodic along all
        lattice vectors or none. Velocities of the Atoms are used when there are any. Models in a
        keyfile are looked for in its folder; NAME.dyn beside it goes before the structure.
    accurate, fast
        A shipped name, a file, a model object or an ASE calculator; `fast` makes two levels. For
        a keyfile they replace its models.
    dt
        Outer time step, fs.
    substeps
        Steps of the fast level in one outer step, of `dt` or of the keyfile's time step.
    ensemble
        "nve" or "nvt".
    temperature, friction
        K and 1/ps, of the Langevin thermostat; initial velocities are drawn at `temperature`.
    dtype
        "float32" (default) or "float64", precision of the models.
    device, threads
        "auto", "cpu", "cuda" or "cuda:i"; CPU threads of torch (default: as torch has them).
    velocities
        (n, 3) Å/ps; never altered.
    charge, seed
        Total charge in e; seed of the random numbers.
    keywords
        Any other keyword of the keyfile, as in ``{"heavy-hydrogen": True, "list-buffer": 1.0}``.
    output
        Write files named after it (.arc, .h5, .dyn, .chk); by default none is written. The name
        of the keyfile continues its files as `fennix-dynamic` does. Any other name begins new
        files, and earlier ones are kept under a number; OUTPUT.dyn is never read back.
    resume
        Continue bitwise from OUTPUT.chk.
    comm
        Communicator of mpi4py whose ranks share the system; all of them do everything together,
        also reading a property. What rank 0 is given counts, all get the same answers. None: this
        process does the run alone.

    Raises
    ------
    InputError
        One sentence about the keyword or file that cannot be used.
    ModelError
        When a model cannot be read, does not know an element or fails at the first forces.

    Warns
    -----
    UserWarning
        For each keyword without effect, start from NAME.dyn and other note about the input.
    """

    def __init__(
        self,
        system: str | Path | ase.Atoms,
        accurate: str | Path | AnyModel | BaseCalculator | None = None,
        fast: str | Path | AnyModel | BaseCalculator | None = None,
        *,
        dt: float | None = None,
        substeps: int | None = None,
        ensemble: str | None = None,
        temperature: float | None = None,
        friction: float | None = None,
        dtype: str | None = None,
        device: str | None = None,
        threads: int | None = None,
        velocities: np.ndarray | None = None,
        charge: float | None = None,
        seed: int | None = None,
        keywords: dict[str, object] | None = None,
        output: str | Path | None = None,
        resume: bool = False,
        comm: mpi4py.MPI.Comm | None = None,
    ):
        options = {
            "accurate": accurate, "fast": fast, "dt": dt, "substeps": substeps,
            "ensemble": ensemble, "temperature": temperature, "friction": friction,
            "dtype": dtype, "device": device, "threads": threads, "charge": charge, "seed": seed,
        }
        request = {"system": system, "options": options, "keywords": keywords or {},
                   "output": output, "resume": resume, "velocities": velocities}
        self._engine = start.engine(request, comm)
        self._shared = comm is not None and comm.Get_size() > 1
        self._talks = comm is None or comm.Get_rank() == 0
        try:
            attachment = start.attachment(self._engine, (accurate, fast), dtype, comm is not None)
            self.labels = [provider.label for provider in attachment.providers]
            self._engine.attach(attachment)
            self._engine.prepare()
            for note in self._engine.text("notes").splitlines() if self._talks else ():
                warnings.warn(note, UserWarning, stacklevel=2)
        except BaseException:
            self._engine.close(finish=False)
            raise

    def run(self, steps: int, progress: bool = False) -> None:
        """Take outer steps; may be called again.

        Ctrl-C ends after a whole step, writes the restart files if there are any and raises
        KeyboardInterrupt; the simulation stays usable. SIGTERM and SIGUSR1 likewise go to their
        handler in Python; without one all files are closed before the process ends. OUTPUT.end
        and the keyword maxh end the steps early without an exception (:attr:`stop_reason`).

        Parameters
        ----------
        steps
            Outer steps, of `dt` each.
        progress
            Show progress and speed on stderr.

        Raises
        ------
        FennixError
            When a model fails or the disk is full.
        """
        if steps < 0:
            raise InputError(f"the number of steps must not be negative, got {steps}")
        if not progress:
            self._engine.run(steps)
            return
        shown, chunk, begin = Progress(steps), max(1, steps // 100), self.step
        for done in range(0, steps, chunk):
            self._engine.run(min(chunk, steps - done))
            if self._talks:
                shown.show(self.step - begin)
            if self.stop_reason:
                if self._talks:
                    shown.stop(self.stop_reason)
                return

    def trajectory(self, steps: int, every: int = 1) -> Iterator[Frame]:
        """Take `steps` outer steps and yield a :class:`Frame` after each `every` of them.

        What ends :meth:`run` early ends the frames too; the last one is then of the last step.
        """
        if every < 1:
            raise InputError(f"every must be at least 1, got {every}")
        for done in range(0, steps, every):
            before = self.step
            self.run(min(every, steps - done))
            stopped = bool(self.stop_reason)
            if self.step > before:
                yield self.frame()
            if stopped:
                return

    def frame(self) -> Frame:
        """The present state, as copies."""
        return Frame(
            self.step, self.time, self.positions, self.velocities, self.forces, self.cell,
            self.energy, self.temperature, self.observables,
        )

    @property
    def energy(self) -> Energy:
        """Energies in kcal/mol."""
        found = self.observables
        names = ("potential", "kinetic", "total", "conserved")
        return Energy(*(found[f"{name}_energy"] for name in names))

    @property
    def temperature(self) -> float:
        """K; with a thermostat from mid-step velocities, which alone sample it exactly."""
        found = self.observables
        return found.get("temperature_mid", found["temperature"])

    @property
    def observables(self) -> dict[str, float]:
        """Everything measured at the last outer step, by the names used in NAME.h5."""
        return self._engine.observables()

    @property
    def positions(self) -> np.ndarray:
        """(n, 3) copy in Å, not wrapped into the cell; setting them evaluates the forces anew."""
        return self._engine.get("position")

    @positions.setter
    def positions(self, values: np.ndarray) -> None:
        self._engine.set("position", values)

    @property
    def velocities(self) -> np.ndarray:
        """(n, 3) copy in Å/ps; can be set."""
        return self._engine.get("velocity")

    @velocities.setter
    def velocities(self, values: np.ndarray) -> None:
        self._engine.set("velocity", values)

    @property
    def forces(self) -> np.ndarray:
        """(n, 3) copy, forces of the accurate model, kcal/mol/Å."""
        return self._engine.get("force")

    @property
    def forces_fast(self) -> np.ndarray:
        """(n, 3) copy, forces of the fast model; of the accurate one with a single level."""
        return self._engine.get("force_fast")

    @property
    def virial(self) -> np.ndarray:
        """(3, 3) dE/dstrain of the accurate model, kcal/mol; InputError if it gives none."""
        return self._engine.virial()

    @property
    def cell(self) -> np.ndarray | None:
        """(3, 3), rows are lattice vectors, Å; None for an isolated system."""
        return self._engine.cell()

    @property
    def numbers(self) -> np.ndarray:
        """(n,) atomic numbers."""
        return self._engine.identities()[0]

    @property
    def masses(self) -> np.ndarray:
        """(n,) masses in g/mol."""
        return self._engine.identities()[1]

    @property
    def step(self) -> int:
        """Outer steps done."""
        return self._engine.counters()["step"]

    @property
    def stop_reason(self) -> str:
        """What ended the last :meth:`run` early: OUTPUT.end, "maxh", a signal; else empty."""
        return self._engine.text("stop")

    @property
    def time(self) -> float:
        """Ps."""
        return self._engine.time()

    def __len__(self) -> int:
        return self._engine.counters()["n_atoms"]

    def close(self) -> None:
        """Write the last restart files and close all files; harmless when closed already."""
        self._engine.close()

    def __enter__(self) -> Simulation:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        # other ranks may know nothing of an exception here, and would be waited for
        self._engine.close(finish=kind is None or not self._shared)
