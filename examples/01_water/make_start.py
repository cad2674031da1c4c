"""How water.xyz was made: a jittered grid, relaxed, 6 ps with the fast model, 2 ps with both.

Usage: python make_start.py   (works in output/, replaces water.xyz)
"""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

SIDE, PER_SIDE, OH, ANGLE = 18.643, 6, 0.9572, np.radians(104.52)
COMMON = f"""\
a-axis {SIDE}
friction 5.0
randomseed 1
h5md off
"""
FAST = COMMON + "integrator baoab\nml-model water-fast\nminimize\nminimize-rms 2.0\n"
BOTH = COMMON + "integrator baoabrespa\nml-model water-accurate\nml-model-fast water-fast\n"


def molecules(rng):
    """Positions (648, 3) of waters turned at random around the points of a jittered grid."""
    water = OH * np.array([[0, 0, 0], [1, 0, 0], [np.cos(ANGLE), np.sin(ANGLE), 0]])
    grid = np.stack(np.meshgrid(*[np.arange(PER_SIDE)] * 3, indexing="ij"), -1).reshape(-1, 3)
    centers = (grid + 0.5 + 0.05 * rng.uniform(-1, 1, grid.shape)) * SIDE / PER_SIDE
    turns = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in centers]
    return np.concatenate([c + water @ turn for c, turn in zip(centers, turns, strict=True)])


def write_xyz(path, positions, title):
    """Tinker .xyz with bonds: O H H, O H H ..."""
    lines = [f"{len(positions):6d}  {title}"]
    for k, (x, y, z) in enumerate(positions):
        oxygen, is_oxygen = k - k % 3 + 1, k % 3 == 0
        name, kind = ("O", 1) if is_oxygen else ("H", 2)
        bonds = (oxygen + 1, oxygen + 2) if is_oxygen else (oxygen,)
        lines.append(f"{k + 1:6d}  {name:<3s}{x:12.6f}{y:12.6f}{z:12.6f}{kind:6d}"
                     + "".join(f"{b:6d}" for b in bonds))
    Path(path).write_text("\n".join(lines) + "\n")


def run(folder, name, keywords, *words):
    """Run NAME in the folder; returns the positions of its last frame."""
    (folder / f"{name}.key").write_text(keywords)
    program = Path(sys.executable).with_name("fennix-dynamic")
    subprocess.run([program, name, *words, "2", "300"], cwd=folder, check=True)
    last = (folder / f"{name}.arc").read_text().splitlines()[-3 * PER_SIDE**3:]
    return np.array([[float(word) for word in line.split()[2:5]] for line in last])


def main():
    """Grid, two runs, last frame."""
    folder = Path(__file__).parent / "output"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    positions = molecules(np.random.default_rng(216))
    write_xyz(folder / "grid.xyz", positions, "216 waters on a grid")
    positions = run(folder, "grid", FAST, "6000", "1.0", "1.0")
    write_xyz(folder / "box.xyz", positions, "216 waters, 6 ps with the fast model")
    positions = run(folder, "box", BOTH, "1000", "2.0", "0.5")
    title = "216 waters in 18.643 A at 300 K, made with the shipped models"
    write_xyz(Path(__file__).with_name("water.xyz"), positions, title)


if __name__ == "__main__":
    main()
