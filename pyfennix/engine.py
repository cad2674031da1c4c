# SPDX-License-Identifier: MIT
"""One simulation of the wrapped Fortran engine: status codes become exceptions, arrays copies."""

from __future__ import annotations

import signal
import weakref
from pathlib import Path

import numpy as np

from pyfennix import seam
from pyfennix.exceptions import FennixError, InputError
from pyfennix.host import Attachment

try:
    from pyfennix.core import fennix_api as fortran
    from pyfennix.core import fennix_api_virtual as fortran_virtual  # noqa: F401  for others
except ImportError as error:
    raise FennixError(
        f"the compiled part of pyfennix cannot be loaded ({error}); install it with "
        f"`pip install .`, and do not import it from the source folder {Path(__file__).parent}"
    ) from error


ALONE = -1  # no communicator: this process is the only rank


class Engine:
    """Owns a simulation in Fortran's memory; everything it returns is a copy.

    Made by :meth:`from_files` or :meth:`from_arrays`, then :meth:`attach`, :meth:`prepare`.
    """

    def __init__(self, handle: int):
        self._handle = handle
        self.leads = True  # rank 0, whose arguments count
        self._attachment: Attachment | None = None
        self._release = weakref.finalize(self, fortran.destroy, handle)

    @classmethod
    def from_files(
        cls, words: list[str], key_text: str | None, output: str, comm: int = ALONE
    ) -> Engine:
        """From a command line; lines of `key_text` go before those of the keyfile after `-k`.

        ``comm`` is the Fortran handle of a communicator whose ranks all call this; what rank 0
        is given counts.

        Raises
        ------
        InputError
            One sentence that names file, line and keyword.
        """
        text = "" if key_text is None else key_text
        return cls(
            _created(
                fortran.create(
                    "\n".join(words).encode(), text.encode(), int(key_text is not None),
                    output.encode(), comm,
                )
            )
        )

    @classmethod
    def from_arrays(
        cls,
        words: list[str],
        key_text: str,
        output: str,
        numbers: np.ndarray,
        positions: np.ndarray,
        velocities: np.ndarray | None,
        masses: np.ndarray | None,
        cell: np.ndarray | None,
        comm: int = ALONE,
    ) -> Engine:
        """From arrays (n,), (n, 3) in Å, (n, 3) in Å/ps, (n,) in g/mol, rows (3, 3) in Å.

        ``comm`` as of :meth:`from_files`.

        Raises
        ------
        InputError
            One sentence that names the keyword.
        """
        n = len(numbers)
        return cls(
            _created(
                fortran.create_from_arrays(
                    "\n".join(words).encode(), key_text.encode(), output.encode(), n,
                    np.ascontiguousarray(numbers, np.int32),
                    _columns(positions),
                    _columns(np.zeros((n, 3)) if velocities is None else velocities),
                    int(velocities is not None),
                    np.zeros(n) if masses is None else np.ascontiguousarray(masses, np.float64),
                    _columns(np.zeros((3, 3)) if cell is None else cell),
                    int(cell is not None), comm,
                )
            )
        )

    @property
    def handle(self) -> int:
        """The simulation's handle; FennixError once it is closed."""
        if self._handle == 0:
            raise FennixError("the simulation is closed")
        return self._handle

    def text(self, what: str) -> str:
        """One of the engine's texts: "host", "observables", "notes" or "stop"."""
        n = fortran.text_length(self.handle, what.encode())
        codes = np.zeros(n, np.int32)
        fortran.text_codes(self.handle, what.encode(), n, codes)
        return codes.astype(np.uint8).tobytes().decode()

    def attach(self, attachment: Attachment) -> None:
        """Hand over providers and frame sinks, which are kept alive from here on."""
        self._attachment = attachment
        for level, provider in enumerate(attachment.providers, 1):
            self._check(fortran.set_provider(self.handle, level, provider.address))
        for which, sink in enumerate((attachment.sink, attachment.holes), 1):
            if sink is not None:
                fortran.set_frame_sink(self.handle, which, sink.address)

    def share_failure(self, error: BaseException | None) -> None:
        """Raise on all ranks when one of them gives an error; all call this together."""
        words = b""
        if error is not None:
            words = (str(error).strip() or type(error).__name__).encode()
        stat, message = fortran.share_failure(self.handle, words)
        if error is not None:
            raise error
        if stat != 0:
            raise FennixError(message)

    def prepare(self) -> None:
        """Velocities, pair lists, first forces, output files."""
        self._check(fortran.prepare(self.handle))

    def run(self, steps: int) -> None:
        """Take outer steps; a signal that ends them early is raised again, after a checkpoint.

        A signal that nobody handles ends the process, so the simulation is closed before it.
        """
        self._check(fortran.run(self.handle, steps))
        reason = self.text("stop")
        if reason not in signal.Signals.__members__:
            return
        number = signal.Signals[reason]
        if signal.getsignal(number) is signal.SIG_DFL:
            self.close()
        else:
            self._check(fortran.checkpoint(self.handle))
        signal.raise_signal(number)

    def close(self, finish: bool = True) -> None:
        """Write the last restart files, close all files, and forget the simulation."""
        if self._handle == 0:
            return
        try:
            if finish:
                self._check(fortran.finish(self._handle))
            elif self._attachment is not None:
                self._attachment.close()
        finally:
            self._handle = 0
            self._release()

    def counters(self) -> dict[str, int]:
        """Atoms, outer step, inner step, degrees of freedom, periodic, observables."""
        values = np.zeros(6, np.int64)
        fortran.counters(self.handle, values)
        names = ("n_atoms", "step", "inner_step", "freedom", "periodic", "n_observables")
        return dict(zip(names, values.tolist(), strict=True))

    def get(self, name: str) -> np.ndarray:
        """Copy of "position", "velocity", "force" or "force_fast", (n, 3)."""
        n = self.counters()["n_atoms"]
        values = np.zeros((n, 3))
        self._check(fortran.get_array(self.handle, name.encode(), n, values.T))
        return values

    def set(self, name: str, values: np.ndarray) -> None:
        """Replace "position" or "velocity" by (n, 3); InputError for a wrong shape or no number."""
        n = self.counters()["n_atoms"]
        rows, failure = np.zeros((n, 3)), None
        if self.leads:
            try:
                rows = np.asarray(values, np.float64)
            except (TypeError, ValueError):
                rows = np.zeros(())
            if rows.shape != (n, 3) or not np.isfinite(rows).all():
                failure = InputError(
                    f"{name} must be ({n}, 3) finite numbers, got shape {rows.shape}")
        self.share_failure(failure)
        self._check(fortran.set_array(self.handle, name.encode(), n, _columns(rows)))

    def identities(self) -> tuple[np.ndarray, np.ndarray]:
        """Atomic numbers (n,) and masses (n,) in g/mol."""
        n = self.counters()["n_atoms"]
        numbers, masses = np.zeros(n, np.int32), np.zeros(n)
        fortran.get_numbers(self.handle, n, numbers, masses)
        return numbers, masses

    def cell(self) -> np.ndarray | None:
        """(3, 3), rows are lattice vectors, Å; None for an isolated system."""
        rows = np.zeros((3, 3))
        fortran.get_cell(self.handle, rows.T)
        return rows if self.counters()["periodic"] else None

    def observables(self) -> dict[str, float]:
        """Everything that was measured at the last outer step, by name."""
        lines = self.text("observables").split()
        n = self.counters()["n_observables"]
        values = np.zeros(n)
        fortran.get_observables(self.handle, n, values)
        names = [line.partition("=")[0] for line in lines if "=" in line]
        return dict(zip(names, values.tolist(), strict=True))

    def energies(self) -> tuple[float, float]:
        """Potential energy of the accurate and of the fast level, kcal/mol."""
        values = np.zeros(2)
        fortran.get_energies(self.handle, values)
        return float(values[0]), float(values[1])

    def time(self) -> float:
        """Simulated time in ps."""
        return float(fortran.get_time(self.handle))

    def virial(self) -> np.ndarray:
        """(3, 3) +dE/dstrain of the accurate model, kcal/mol; InputError when it gives none."""
        providers = self._attachment.providers if self._attachment else []
        blind = bool(providers) and bool(providers[0].record.traits & seam.NO_VIRIAL)
        if blind and self.counters()["periodic"]:
            raise InputError(f"the model {providers[0].label} gives no virial of a periodic system")
        virial = np.zeros((3, 3))
        fortran.get_virial(self.handle, virial.T)
        return virial

    def _check(self, answer: tuple[int, str]) -> None:
        """Raise what a failed call means, a provider's own exception first."""
        stat, message = answer
        if stat == 0:
            return
        culprits = self._attachment.providers if self._attachment else []
        for failure in (provider.failure for provider in culprits):
            error = failure.take()
            if isinstance(error, KeyboardInterrupt):
                raise error
            if error is not None:
                kind = type(error) if isinstance(error, FennixError) else FennixError
                raise kind(message) from error
        raise FennixError(message)


def seam_layout() -> list[int]:
    """Sizes and offsets of the structs of the force seam as Fortran has them."""
    values = np.zeros(14, np.int64)
    fortran.seam_layout(values)
    return values.tolist()


def _created(answer: tuple[int, int, str]) -> int:
    handle, stat, message = answer
    if stat != 0:
        raise InputError(message)
    return handle


def _columns(rows: np.ndarray) -> np.ndarray:
    """(3, n) in Fortran's order from (n, 3); a view when that is possible."""
    return np.ascontiguousarray(rows, np.float64).T
