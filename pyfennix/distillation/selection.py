# SPDX-License-Identifier: MIT
"""Which of many geometries to learn from: few, and different."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyfennix.models.pairs import build_pairs
from pyfennix.training.frames import Frame

_REACH, _CENTERS, _WIDTH = 4.0, 12, 0.25


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


def decorrelated(frames: Sequence[Frame], share: float) -> tuple[list[Frame], list[Frame]]:
    """(training, test) of one run: the last ``share`` is the test, a gap as long as half of it
    before is left out, so that no test frame resembles a training frame because of time."""
    test = round(share * len(frames))
    gap = test // 2
    return list(frames[: len(frames) - test - gap]), list(frames[len(frames) - test :])
