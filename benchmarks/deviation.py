# SPDX-License-Identifier: MIT
"""How the trajectories of one rank and of several part, by rounding and chaos alone.

Usage: python benchmarks/deviation.py [--ranks 2] [--ps 1.5] [--plot docs/deviation.png]

The water of the example in float64 at 300 K, BAOAB-RESPA, 2 × 1 fs. Starts itself under mpirun.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

WATER = Path(__file__).resolve().parents[1] / "examples" / "01_water" / "water.xyz"
EDGE, DT, EVERY = 18.643, 2.0, 25  # Å, fs, outer steps


def record(path: str, steps: int) -> None:
    """Run on the ranks of this launch; rank 0 keeps positions."""
    import ase
    from mpi4py import MPI

    import pyfennix

    comm = MPI.COMM_WORLD
    positions = np.loadtxt(WATER, skiprows=1, usecols=(2, 3, 4))
    atoms = ase.Atoms("OHH" * (len(positions) // 3), positions, cell=[EDGE] * 3, pbc=True)
    with pyfennix.Simulation(
            atoms, "water-accurate", "water-fast", dt=DT, substeps=2, ensemble="nvt",
            temperature=300.0, friction=1.0, seed=2026, dtype="float64", threads=1,
            keywords={"list-buffer": 0.3}, comm=comm) as sim:
        frames = [frame.positions for frame in sim.trajectory(steps, every=EVERY)]
    if comm.rank == 0:
        np.save(path, np.array(frames))


def launch(n_ranks: int, path: Path, steps: int) -> np.ndarray:
    """The frames of a run on so many ranks."""
    extra = {"OMP_NUM_THREADS": "1"}
    if os.geteuid() == 0:
        extra |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    line = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(n_ranks), sys.executable,
            "-m", "mpi4py", __file__, "--record", str(path), "--steps", str(steps)]
    subprocess.run(line, env=os.environ | extra, check=True)
    return np.load(path)


def main() -> None:
    """Print the largest deviation over time, and plot it if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--ps", type=float, default=1.5)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--record", help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.record:
        record(options.record, options.steps)
        return
    steps = round(options.ps * 1e3 / DT)
    with tempfile.TemporaryDirectory() as name:
        one, many = (launch(n, Path(name) / f"{n}.npy", steps) for n in (1, options.ranks))
    times = 1e-3 * DT * EVERY * np.arange(1, len(one) + 1)
    worst = np.abs(one - many).max(axis=(1, 2))
    for time, deviation in zip(times, worst, strict=True):
        print(f"{time:8.3f} ps {deviation:10.2e} Å")
    grown = worst > 0
    slope = np.polyfit(times[grown], np.log(worst[grown]), 1)[0]
    print(f"growth {slope:.1f} /ps")
    if options.plot:
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(6, 4))
        axes.semilogy(times, worst, "-o", label=f"{options.ranks} ranks")
        axes.axhline(1e-9, color="grey", lw=0.8, label="asked for at 0.5 ps")
        axes.set_xlabel("time, ps")
        axes.set_ylabel("largest deviation from one rank, Å")
        axes.legend()
        axes.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(options.plot, dpi=110)


if __name__ == "__main__":
    main()
