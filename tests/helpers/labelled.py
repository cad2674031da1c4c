# SPDX-License-Identifier: MIT
"""Labelled frames of water made from nothing: the labels are the shipped fast model's."""

from __future__ import annotations

from helpers.waters import cubic, waters
from pyfennix.models.registry import load_model
from pyfennix.training.frames import Frame
from pyfennix.training.teacher import label


def water_frames(number: int = 6, labelled: bool = True) -> list[Frame]:
    """Alternately periodic and isolated frames of eight waters, two of each run."""
    frames = []
    for k in range(number):
        numbers, positions = waters(cubic(8), (2, 2, 2), k)
        frames.append(Frame(numbers, positions, None if k % 2 else cubic(8), run=f"run{k // 2}"))
    if labelled:
        label(load_model("water-fast"), frames)
    return frames
