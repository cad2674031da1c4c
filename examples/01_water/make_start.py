"""How water.xyz was made: molecules on a jittered grid, relaxed, then 10 ps at 300 K.

Usage: python make_start.py   (writes start/start.xyz, runs the program there, replaces water.xyz)
"""

import subprocess
from pathlib import Path

import numpy as np

SIDE, PER_SIDE, OH, ANGLE = 18.643, 6, 0.9572, np.radians(104.52)
KEYWORDS = f"""\
a-axis {SIDE}
integrator baoabrespa
ml-model water-accurate
ml-model-fast water-fast
dshort 0.001
friction 5.0
randomseed 1
minimize
minimize-rms 2.0
"""


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


def main():
    """Grid, run, last frame."""
    folder = Path(__file__).parent / "output"
    folder.mkdir(exist_ok=True)
    write_xyz(folder / "start.xyz", molecules(np.random.default_rng(216)), "216 waters on a grid")
    (folder / "start.key").write_text(KEYWORDS)
    run = ["fennix-dynamic", "start", "5000", "2.0", "1.0", "2", "300"]
    subprocess.run(run, cwd=folder, check=True)
    last = (folder / "start.arc").read_text().splitlines()[-648:]
    positions = np.array([[float(word) for word in line.split()[2:5]] for line in last])
    title = "216 waters in 18.643 Å, 10 ps at 300 K with the shipped models"
    write_xyz(Path(__file__).with_name("water.xyz"), positions, title)


if __name__ == "__main__":
    main()
