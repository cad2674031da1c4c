# SPDX-License-Identifier: MIT
"""Spectrum of the force difference along a trajectory: what the outer step has to follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# cm-1 of 1/fs, from the speed of light
WAVENUMBER = 1e15 / 2.99792458e10
_OF_PERIOD = 0.45
# share of the force's power above 1000 cm-1 below which that is a thermostat's noise
_VIBRATES = 0.01


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
        if power.sum() < _VIBRATES:
            power = self.total
        cumulated = np.cumsum(power) / power.sum()
        place = min(int(np.searchsorted(cumulated, 0.99)), len(power) - 1)
        return 1.0 / max(float(self.frequency[place]), 1e-6)

    @property
    def longest_step(self) -> float:
        """fs beyond which no outer step is suggested: at half a period impulses drive a vibration
        by whatever linear difference there is, and its energy grows exponentially."""
        return _OF_PERIOD * self.shortest_period

    def facts(self) -> dict:
        """Plain values for the report."""
        return {
            "relative_mean_square": self.relative, "shortest_period_fs": self.shortest_period,
            "share_above_nyquist": {f"{outer:g}": self.above(outer) for outer in (1, 2, 3, 4, 6)},
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
