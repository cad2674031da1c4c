"""Does the shipped water pair hold? Two levels at 3 fs against one at 1 fs, 216 waters at 300 K.

Usage: python benchmarks/water_pair.py FOLDER [--ps 10] [--friction 1]

Runs in FOLDER (a killed run is resumed by calling again), then prints mid-step temperatures with
block standard errors and the largest difference of g(r) of the oxygens in bins of 0.1 Å.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "examples" / "01_water"))
from plot import radial_distribution  # noqa: E402

COMMON = "a-axis 18.643\nfriction {friction}\nml-threads {threads}\nprintout 100\nmaxh 3\n"
TWO = "integrator baoabrespa\nml-model water-accurate\nml-model-fast water-fast\ndshort 0.001\n"
ONE = "integrator baoab\nml-model water-accurate\n"
FRAME_PS = 0.03
BLOCK_PS = 1.0


def run(folder: Path, name: str, keywords: str, dt: float, ps: float, seed: int) -> Path:
    """Run or resume NAME in the folder; the path of its trajectory."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "examples" / "01_water" / "water.xyz", folder / f"{name}.xyz")
    (folder / f"{name}.key").write_text(f"{keywords}randomseed {seed}\n")
    steps = str(round(1000 * ps / dt))
    command = ["fennix-dynamic", name, steps, str(dt), str(FRAME_PS), "2", "300"]
    if (folder / f"{name}.chk").exists():
        command.append("--resume")
    with open(folder / f"{name}.log", "a") as log:
        subprocess.run(command, cwd=folder, stdout=log, check=True)
    return folder / f"{name}.h5"


def block_error(series: np.ndarray, time: np.ndarray) -> float:
    """Standard error of the mean from means over blocks of BLOCK_PS."""
    block = ((time - time[0]) / BLOCK_PS).astype(int)
    means = np.array([series[block == b].mean() for b in range(block.max())])
    return means.std(ddof=1) / np.sqrt(len(means))


def report(name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Print temperatures of a run; g(r) of its oxygens."""
    with h5py.File(path, "r") as file:
        time = file["particles/trajectory/position/time"][()]
        for label in ("temperature_mid", "temperature_mid_H", "temperature_mid_O"):
            series = file[f"observables/{label}/value"][()]
            error = block_error(series, time)
            off = abs(series.mean() - 300.0)
            verdict = "yes" if off <= 4.0 and off <= 3.0 * error else "NO"
            print(f"{name:12s} {label:18s} {series.mean():8.2f} ± {error:5.2f} K"
                  f"   within 3 errors and 4 K: {verdict}")
        return radial_distribution(file, discard=0.0)


def main() -> None:
    """Both runs, both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ps", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--friction", type=float, default=1.0, help="of the thermostat, 1/ps")
    parser.add_argument("--only", choices=("two", "one"), help="run only this one, no report")
    arguments = parser.parse_args()
    common = COMMON.format(threads=arguments.threads, friction=arguments.friction)
    paths = {}
    for name, levels, dt, seed in (("two", TWO, 3.0, 1), ("one", ONE, 1.0, 2)):
        if arguments.only in (None, name):
            paths[name] = run(arguments.folder, name, common + levels, dt, arguments.ps, seed)
    if arguments.only:
        return
    r, g_two = report("3 × 1 fs", paths["two"])
    _, g_one = report("1 fs, single", paths["one"])
    worst = np.abs(g_two - g_one).argmax()
    print(f"O-O g(r): largest difference {abs(g_two - g_one)[worst]:.3f} at {r[worst]:.2f} Å")
    for name, g in (("3 × 1 fs", g_two), ("1 fs, single", g_one)):
        print(f"{name:12s} first peak {g.max():.2f} at {r[g.argmax()]:.2f} Å")


if __name__ == "__main__":
    main()
