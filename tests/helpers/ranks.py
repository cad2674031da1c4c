# SPDX-License-Identifier: MIT
"""Start Python workers and the executable on several ranks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from helpers.runs import TESTS, dynamic, environment

WORKERS = TESTS / "mpi" / "workers"


def launcher(n_ranks: int) -> tuple[str, ...]:
    """mpirun for so many ranks, more than there are cores if need be; idle ranks yield."""
    return ("mpirun", "-n", str(n_ranks), "--oversubscribe", "--bind-to", "none",
            "--mca", "mpi_yield_when_idle", "1")


def run_worker(n_ranks: int, name: str, *words, folder: Path,
               timeout: float = 300) -> subprocess.CompletedProcess:
    """Run tests/mpi/workers/NAME.py on the ranks, in a folder."""
    return _python(n_ranks, [str(WORKERS / f"{name}.py"), *map(str, words)], folder, timeout)


def run_script(n_ranks: int, script: Path, timeout: float = 60) -> subprocess.CompletedProcess:
    """Run a script in its folder as `mpirun python -m mpi4py`, which lets no exception be lost."""
    return _python(n_ranks, ["-m", "mpi4py", str(script)], script.parent, timeout)


def _python(n_ranks: int, words: list[str], folder: Path,
            timeout: float) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*launcher(n_ranks), sys.executable, *words], cwd=folder,
        env=environment() | {"PYTHONPATH": str(TESTS)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=timeout,
    )


def dynamic_on(n_ranks: int, folder: Path, *words,
               timeout: float = 300) -> subprocess.CompletedProcess:
    """`mpirun -n n_ranks fennix-dynamic words` in a folder."""
    return dynamic(folder, *words, before=launcher(n_ranks), timeout=timeout)
