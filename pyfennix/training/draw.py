# SPDX-License-Identifier: MIT
"""The order in which frames are learned from, known from seed and epoch alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyfennix.training.frames import Frame
from pyfennix.training.settings import OptimizerSettings


class Draw:
    """Endless shuffled drawing of families of frames; a frame without relatives is one alone.

    Attributes
    ----------
    epoch, position
        The place in the data, all that has to be kept to go on.
    """

    def __init__(self, frames: Sequence[Frame], settings: OptimizerSettings) -> None:
        families: dict[tuple[str, bytes] | int, list[Frame]] = {}
        for k, frame in enumerate(frames):
            families.setdefault(frame.family_of_atoms if frame.family else k, []).append(frame)
        self.units = list(families.values())
        self.settings = settings
        self.epoch, self.position = 0, 0
        self._order: tuple[int, np.ndarray] | None = None

    def take(self) -> list[Frame]:
        """The next frames, at least one family, of about ``batch_atoms`` atoms."""
        taken: list[Frame] = []
        atoms = 0
        while not taken or atoms + self._size() <= self.settings.batch_atoms:
            atoms += self._size()
            taken += self._next()
            self.position += 1
        return taken

    def _size(self) -> int:
        return sum(map(len, self._next()))

    def _next(self) -> list[Frame]:
        if self.position == len(self.units):
            self.epoch, self.position = self.epoch + 1, 0
        if self._order is None or self._order[0] != self.epoch:
            rng = np.random.default_rng((self.settings.seed, self.epoch))
            self._order = self.epoch, rng.permutation(len(self.units))
        return self.units[int(self._order[1][self.position])]
