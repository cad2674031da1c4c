"""Largest difference of positions between two trajectories of the same system, frame by frame."""

from __future__ import annotations

import sys

import h5py
import numpy as np

FRAMES = "particles/trajectory"


def unwrapped(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Times in ps, and positions (frames, n, 3) in Å without jumps at the faces of the box."""
    with h5py.File(path, swmr=True) as file:
        group = file[FRAMES]
        box = group["box/edges/value"][()]
        position = group["position/value"][()].astype(float)
        return group["position/time"][()], position + group["image/value"][()] @ box


def main(first: str, second: str) -> None:
    """Print one line a frame; fail when the trajectories have parted."""
    times, one = unwrapped(first)
    _, two = unwrapped(second)
    worst = np.abs(one - two).max(axis=(1, 2))
    print("\nDifference between one rank and two (positions in NAME.h5 are single precision)")
    for time, difference in zip(times, worst, strict=True):
        print(f"  {time:8.3f} ps   {difference:.1e} Å")
    if worst.max() > 1e-5:
        sys.exit("the trajectories differ")


if __name__ == "__main__":
    main(*sys.argv[1:])
