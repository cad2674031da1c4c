# SPDX-License-Identifier: MIT
"""Torsion angles of a molecule in two runs: do two levels sample what one does?

    python benchmarks/torsions.py ONE.h5 TWO.h5 [--discard PS] [--mirror] [--figure FILE.png]

For every bond that may turn, the distribution of one torsion angle in 24 bins from both runs, taken
together over atoms that stand for each other, such as the hydrogens of a methyl group. --mirror
counts an angle and its negative alike, for molecules that are their own mirror images. The distance
is half the sum of absolute differences (0 the same, 1 nothing in common); beside it stands the
distance between the two halves of the first run, which is noise (of twice as short runs).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py
import numpy as np

from pyfennix.fragments.molecules import find_molecules
from pyfennix.models.interface import SYMBOLS

BINS = 24


def torsions(numbers: np.ndarray, positions: np.ndarray) -> list[list[tuple[int, ...]]]:
    """For each bond j-k whose ends both have another bond, the (i, j, k, l) that are equivalent."""
    found = find_molecules(numbers, positions)
    bonded = [found.bonded(i).tolist() for i in range(len(numbers))]

    def ends(at: int, other: int) -> list[int]:
        """Atoms of the heaviest kind on an end: all of them if nothing else is bonded to them."""
        first = min((x for x in bonded[at] if x != other), key=lambda x: (-numbers[x], x))
        alike = [x for x in bonded[at] if x != other and numbers[x] == numbers[first]]
        return alike if all(len(bonded[x]) == 1 for x in alike) else [first]

    return [[(i, j, k, end) for i in ends(j, k) for end in ends(k, j)]
            for j in range(len(numbers)) for k in bonded[j]
            if j < k and len(bonded[j]) > 1 and len(bonded[k]) > 1]


def angles(positions: np.ndarray, atoms: tuple[int, ...]) -> np.ndarray:
    """Degrees of one torsion in (frames, n, 3)."""
    a, b, c, d = (positions[:, i] for i in atoms)
    first, axis, last = b - a, c - b, d - c
    left, right = np.cross(first, axis), np.cross(axis, last)
    across = np.cross(left, right)
    unit = axis / np.linalg.norm(axis, axis=1, keepdims=True)
    return np.degrees(np.arctan2((across * unit).sum(1), (left * right).sum(1)))


def spread(values: np.ndarray) -> np.ndarray:
    """Share of each bin."""
    return np.histogram(values, BINS, (-180.0, 180.0))[0] / values.size


def read(path: Path, discard: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers, positions after ``discard`` ps, and the potential energy."""
    with h5py.File(path, "r") as file:
        group = file["particles/trajectory"]
        time = group["position/time"][()]
        kept = time - time[0] >= discard
        positions = group["position/value"][()][kept].astype(float)
        return (group["species"][()].astype(np.int64), positions,
                file["observables/temperature_mid/value"][()][kept])


def main() -> None:
    """A line for each torsion."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("one", type=Path)
    parser.add_argument("two", type=Path)
    parser.add_argument("--discard", type=float, default=5.0, help="ps")
    parser.add_argument("--mirror", action="store_true",
                        help="count an angle and its negative alike")
    parser.add_argument("--figure", type=Path)
    arguments = parser.parse_args()
    numbers, one, warm_one = read(arguments.one, arguments.discard)
    _, two, warm_two = read(arguments.two, arguments.discard)
    print(f"{len(one)} and {len(two)} frames; mid-step temperature {warm_one.mean():.1f} and "
          f"{warm_two.mean():.1f} K")
    rows = []
    for alike in torsions(numbers, one[0]):
        # (equivalent, frames), so that halves are halves in time
        values = [np.array([angles(x, atoms) for atoms in alike]) for x in (one, two)]
        if arguments.mirror:
            values = [np.concatenate([v, -v]) for v in values]
        if all(np.ptp(v[0]) < 120.0 for v in values):
            continue  # nothing turns: a ring or a double bond
        shares = [spread(v) for v in values]
        halves = [spread(v) for v in np.array_split(values[0], 2, axis=1)]
        name = "-".join(f"{SYMBOLS[numbers[i]]}{i + 1}" for i in alike[0])
        far, noise = (0.5 * np.abs(a - b).sum() for a, b in (shares, halves))
        print(f"  {name:20s} distance of the distributions {far:.3f}, of halves of the first run "
              f"{noise:.3f}")
        rows.append((name, shares))
    if arguments.figure:
        draw(arguments.figure, rows)


def draw(path: Path, rows: list) -> None:
    """A panel for each torsion."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(rows), 2.8), layout="constrained")
    centers = np.linspace(-180, 180, BINS, endpoint=False) + 180 / BINS
    for axes, (name, (one, two)) in zip(np.atleast_1d(figure.subplots(1, len(rows))), rows,
                                        strict=True):
        axes.step(centers, one, where="mid", label="one level")
        axes.step(centers, two, where="mid", label="two levels")
        axes.set(title=name, xlabel="torsion, degrees")
        axes.legend(frameon=False, fontsize=8)
    FigureCanvasAgg(figure).print_png(path)


if __name__ == "__main__":
    main()
