# SPDX-License-Identifier: MIT
"""Spectrum of the force difference along a trajectory: what the outer step has to follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# cm-1 of 1/fs, from the speed of light
WAVENUMBER = 1e15 / 2.99792458e10
# The outer kick is an impulse: a vibration of period T drives it into resonance near T/2, and
# with an anharmonic rest already near T/3; this share of T is the usual limit
_OF_PERIOD = 0.35
# power of ΔF above the Nyquist frequency of the outer step that is allowed, over all power of the
# accurate force: a hundredth of its amplitude
FAST_SHARE = 1e-4


@dataclass
class Spectrum:
    """Power of ΔF by frequency.

    Attributes
    ----------
    frequency, power
        1/fs, and power of all components of all atoms, normalised to the sum 1.
    total
        The same for the accurate force itself.
    relative
        Mean square of ΔF over that of the accurate force.
    """

    frequency: np.ndarray
    power: np.ndarray
    total: np.ndarray
    relative: float

    def above(self, outer: float) -> float:
        """Share of the power of ΔF above 1/(2 outer), outer in fs."""
        return float(self.power[self.frequency > 0.5 / outer].sum())

    @property
    def shortest_period(self) -> float:
        """fs of the fastest vibration: below its frequency lie 99 % of the accurate force's power
        at frequencies above 1000 cm-1 or, without any, of all power."""
        fast = self.frequency * WAVENUMBER > 1000.0
        power = np.where(fast, self.total, 0.0)
        if power.sum() < 1e-6:
            power = self.total
        cumulated = np.cumsum(power) / power.sum()
        place = min(int(np.searchsorted(cumulated, 0.99)), len(power) - 1)
        return 1.0 / max(float(self.frequency[place]), 1e-6)

    def suggested(self) -> float:
        """Outer step in whole half fs: a third of the shortest period at most, and hardly any
        power of ΔF, measured by that of the force, above what it can follow."""
        best = 0.5
        for outer in np.arange(0.5, 12.01, 0.5):
            left = self.relative * self.above(outer)
            if outer > _OF_PERIOD * self.shortest_period or left > FAST_SHARE:
                break
            best = float(outer)
        return best

    def facts(self) -> dict:
        """Plain values for the report."""
        return {
            "relative_mean_square": self.relative, "shortest_period_fs": self.shortest_period,
            "share_above_nyquist": {f"{outer:g}": self.above(outer) for outer in (1, 2, 3, 4, 6)},
            "suggested_outer_fs": self.suggested(),
            "wavenumber": (self.frequency * WAVENUMBER).tolist(), "power": self.power.tolist(),
            "power_of_accurate": self.total.tolist(),
        }


def power_spectrum(difference: np.ndarray, accurate: np.ndarray, interval: float) -> Spectrum:
    """From (steps, components) of ΔF and of the accurate force, every ``interval`` fs.

    A Hann window keeps slow motion from leaking into the frequencies that matter.
    """
    window = np.hanning(len(difference))[:, None]

    def power(series: np.ndarray) -> np.ndarray:
        found = np.abs(np.fft.rfft((series - series.mean(axis=0)) * window, axis=0)) ** 2
        found = found.sum(axis=1)
        return found / max(found.sum(), 1e-300)

    frequency = np.fft.rfftfreq(len(difference), interval)
    relative = float((difference**2).mean() / max((accurate**2).mean(), 1e-300))
    return Spectrum(frequency, power(difference), power(accurate), relative)
