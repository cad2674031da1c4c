# SPDX-License-Identifier: MIT
"""Which of many geometries to learn from: few, and different."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyfennix.models.pairs import build_pairs
from pyfennix.training.frames import Frame

_REACH, _CENTERS, _WIDTH = 4.0, 12, 0.25
# of a run the first part is learned from, then come a gap, the part that chooses the best weights,
# another gap, and the test
TRAINING_SHARE, _GAP, _VALIDATION = 0.7, 0.05, 0.1


def describe(frame: Frame) -> np.ndarray:
    """A row of numbers: for each pair of elements, how many distances are near each of 12 lengths
    up to 4 Å, per atom, with their spread over atoms."""
    first, neighbor, shift = build_pairs(frame.positions, frame.cell, _REACH)
    receiver = np.repeat(np.arange(len(frame)), np.diff(first))
    vectors = frame.positions[neighbor] - frame.positions[receiver]
    if frame.cell is not None:
        vectors = vectors + shift @ frame.cell
    distance = np.linalg.norm(vectors, axis=1)
    centers = np.linspace(0.9, _REACH, _CENTERS)
    near = np.exp(-((distance[:, None] - centers) ** 2) / (2 * _WIDTH**2))
    elements = np.unique(frame.numbers)
    parts = []
    for z in elements:
        for other in elements:
            chosen = (frame.numbers[receiver] == z) & (frame.numbers[neighbor] == other)
            rows = np.zeros((len(frame), _CENTERS))
            np.add.at(rows, receiver[chosen], near[chosen])
            rows = rows[frame.numbers == z]
            parts += [rows.mean(axis=0), rows.std(axis=0)]
    return np.concatenate(parts)


def select_diverse(frames: Sequence[Frame], number: int) -> list[Frame]:
    """At most ``number`` frames, each as far as possible from those before (farthest point).

    All frames hold the same atoms. The first is the one nearest to their mean; the result is in
    the order of ``frames``, so that it does not depend on the order of selection.
    """
    if number >= len(frames):
        return list(frames)
    rows = np.array([describe(frame) for frame in frames])
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    chosen = [int((rows**2).sum(axis=1).argmin())]
    distance = ((rows - rows[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < number:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, ((rows - rows[chosen[-1]]) ** 2).sum(axis=1))
    return [frames[k] for k in sorted(chosen)]


def in_parts(frames: Sequence[Frame]) -> tuple[list[Frame], list[Frame], list[Frame]]:
    """(training, validation, test) of the frames of one run in the order of time.

    Gaps are left out, so that no frame resembles one of another part because of time. Too few
    frames for that are all training frames.
    """
    n = len(frames)
    if n < 10:
        return list(frames), [], []
    first = int(TRAINING_SHARE * n)
    begin = first + max(1, round(_GAP * n))
    end = begin + max(1, round(_VALIDATION * n))
    return (list(frames[:first]), list(frames[begin:end]),
            list(frames[end + max(1, round(_GAP * n)) :]))
