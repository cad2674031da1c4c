# SPDX-License-Identifier: MIT
"""Properties of liquid water from runs: temperature, pressure, O-O g(r), self-diffusion.

    python benchmarks/liquid.py RUN.h5 [RUN.h5 ...] [--discard PS] [--pbe0 FILE.npz]

With several runs g(r) is compared with the first one's; runs of different density give the density
at 1 atm by interpolation of their pressures.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "01_water"))
from plot import radial_distribution

# first peak, its place, and first minimum of O-O at 295 K: Skinner et al., J. Chem. Phys. 138,
# 074506 (2013)
EXPERIMENT = "2.57 at 2.80 Å, minimum 0.84 at 3.45 Å"
ATM, BLOCKS = 1.0, 10


@dataclass
class Run:
    """What a trajectory says; errors are standard errors of the mean from ten blocks."""

    name: str
    ps: float
    density: float
    means: dict[str, tuple[float, float]]
    r: np.ndarray
    g: np.ndarray
    diffusion: tuple[float, float]


def block_mean(series: np.ndarray) -> tuple[float, float]:
    """Mean and its standard error from means over blocks."""
    means = np.array([part.mean() for part in np.array_split(series, BLOCKS)])
    return float(series.mean()), float(means.std(ddof=1) / np.sqrt(BLOCKS))


def diffusion(time: np.ndarray, oxygens: np.ndarray) -> tuple[float, float]:
    """Self-diffusion in 1e-5 cm2/s from (frames, n, 3) unwrapped positions, and its error.

    A line through the mean square displacement from 1 to 5 ps, by Einstein's relation; the error
    is from parts of the run of 10 ps or more, nan with fewer than two of them: molecules of one
    part move together. Not corrected for the size of the box.
    """
    step = time[1] - time[0]
    low, high = round(1.0 / step), round(min(5.0, 0.25 * (time[-1] - time[0])) / step)
    if high <= low + 2:
        return np.nan, np.nan
    positions = oxygens - oxygens.mean(axis=1, keepdims=True)
    lags = np.unique(np.linspace(low, high, 12).astype(int))

    def slope(own: np.ndarray) -> float:
        square = [((own[lag:] - own[:-lag]) ** 2).sum(2).mean() for lag in lags]
        return np.polyfit(lags * step, square, 1)[0] / 6.0 * 10.0  # Å2/ps = 1e-4 cm2/s

    count = min(BLOCKS, int((time[-1] - time[0]) / 10.0))
    parts = [slope(part) for part in np.array_split(positions, count)] if count > 1 else []
    error = np.std(parts, ddof=1) / np.sqrt(count) if parts else np.nan
    return float(slope(positions)), float(error)


def read(path: Path, discard: float) -> Run:
    """Everything from a trajectory after ``discard`` ps."""
    with h5py.File(path, "r") as file:
        group = file["particles/trajectory"]
        time = group["position/time"][()]
        kept = time - time[0] >= discard
        numbers = group["species"][()]
        names = ("temperature_mid", "temperature_mid_H", "temperature_mid_O", "pressure")
        means = {name: block_mean(file[f"observables/{name}/value"][()][kept]) for name in names}
        positions = group["position/value"][()][kept][:, numbers == 8].astype(float)
        if "image" in group:
            edges = np.diagonal(group["box/edges/value"][()][kept], axis1=1, axis2=2)
            images = group["image/value"][()][kept][:, numbers == 8]
            positions += images * edges[:, None, :]
        r, g = radial_distribution(file, discard=float((~kept).mean()))
        density = float(file["observables/density/value"][()][kept].mean())
    return Run(path.parent.name + "/" + path.stem, float(time[kept][-1] - time[kept][0]), density,
               means, r, g, diffusion(time[kept], positions))


def show(run: Run) -> None:
    """Print a run."""
    print(f"{run.name}: {run.ps:.1f} ps at {run.density:.4f} g/cm3")
    for name, (mean, error) in run.means.items():
        line = f"  {name:18s} {mean:9.2f} ± {error:.2f}"
        if name.startswith("temperature"):
            off = abs(mean - 300.0)
            line += f" K   off by {off:.2f}: within 3 errors and 4 K: " \
                    f"{'yes' if off <= 4.0 and off <= 3.0 * error else 'NO'}"
        print(line + (" atm" if name == "pressure" else ""))
    peak = run.g.argmax()
    beyond = (run.r > run.r[peak]) & (run.r < 4.0)
    low = np.flatnonzero(beyond)[run.g[beyond].argmin()]
    print(f"  O-O g(r): first peak {run.g[peak]:.2f} at {run.r[peak]:.2f} Å, minimum "
          f"{run.g[low]:.2f} at {run.r[low]:.2f} Å (experiment: {EXPERIMENT})")
    print(f"  self-diffusion {run.diffusion[0]:.2f} ± {run.diffusion[1]:.2f} 1e-5 cm2/s")


def density_at(runs: list[Run], pressure: float) -> tuple[float, float]:
    """Density at a pressure by a parabola (three densities) or line, and its error by drawing."""
    rho = np.array([run.density for run in runs])
    means = np.array([run.means["pressure"] for run in runs])
    rng, found = np.random.default_rng(0), []
    for _ in range(500):
        drawn = means[:, 0] + means[:, 1] * rng.standard_normal(len(runs))
        fit = np.polyfit(rho, drawn - pressure, min(2, len(runs) - 1))
        roots = np.roots(fit)
        real = roots[np.abs(roots.imag) < 1e-9].real
        near = real[(real > rho.min() - 0.05) & (real < rho.max() + 0.05)]
        found += near[:1].tolist()
    return float(np.mean(found)), float(np.std(found))


def pbe0_peak(path: Path) -> str:
    """First peak of g(r) of the ab initio frames."""
    with np.load(path, allow_pickle=False) as data:
        oxygens = data["R"][:, data["Z"] == 8].astype(float)
        edges = np.diagonal(data["cell"], axis1=1, axis2=2)
    bins, volume = np.arange(0.0, edges.min() / 2, 0.1), edges.prod(axis=1).mean()
    counts = np.zeros(len(bins) - 1)
    for x, edge in zip(oxygens, edges, strict=True):
        d = x[:, None] - x[None]
        d -= edge * np.round(d / edge)
        counts += np.histogram(np.linalg.norm(d, axis=2)[np.triu_indices(len(x), 1)], bins)[0]
    n = oxygens.shape[1]
    shell = 4 / 3 * np.pi * np.diff(bins**3)
    g = counts / len(oxygens) / (n * (n - 1) / 2) * volume / shell
    return f"{g.max():.2f} at {0.5 * (bins[g.argmax()] + bins[g.argmax() + 1]):.2f} Å"


def main() -> None:
    """All runs, and what they have in common."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--discard", type=float, default=2.0, help="ps")
    parser.add_argument("--pbe0", type=Path, help="ab initio frames to show g(r) of")
    arguments = parser.parse_args()
    runs = [read(path, arguments.discard) for path in arguments.runs]
    for run in runs:
        show(run)
    for run in runs[1:]:
        if len(run.g) == len(runs[0].g) and abs(run.density - runs[0].density) < 1e-3:
            worst = np.abs(run.g - runs[0].g).argmax()
            print(f"g(r) of {run.name} and {runs[0].name}: largest difference "
                  f"{abs(run.g - runs[0].g)[worst]:.3f} at {run.r[worst]:.2f} Å")
    if len({round(run.density, 3) for run in runs}) > 1:
        rho, error = density_at(runs, ATM)
        print(f"density at 1 atm: {rho:.3f} ± {error:.3f} g/cm3")
    if arguments.pbe0:
        print(f"ab initio frames, O-O first peak: {pbe0_peak(arguments.pbe0)}")


if __name__ == "__main__":
    main()
