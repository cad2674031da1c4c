# SPDX-License-Identifier: MIT
"""Heating by the outer kicks, estimated from the power of the force difference along dynamics.

The outer kicks apply ΔF = F(accurate) − F(fast) as impulses, Δt Σ_j δ(t − jΔt), which is
1 + 2 Σ_k cos(2πkt/Δt), times ΔF: beside the force itself, the potential difference ΔU shakes the
system at every multiple of 1/Δt. Linear response gives the power that is absorbed,
W = Σ_k (2πk/Δt)² S_ΔU(k/Δt) / kT, and since dΔU/dt = −Σ ΔF·v, that is W = Σ_k S_P(k/Δt) / kT with
the two-sided spectral density S_P of P = Σ ΔF·v. No resonance has to be known: twice a bond's
frequency is in S_P when the difference is harmonic, three times when it is anharmonic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyfennix.distillation.spectrum import WAVENUMBER
from pyfennix.units import BOLTZMANN

# of the wanted temperature, by which the suggested outer step may raise it
TOLERATED = 0.005
# dynamics of the shipped water pair heats 1.4 to 2.0 times as much as is estimated
MARGIN = 2.0
_WIDTH = 40.0 / WAVENUMBER  # standard deviation of the smoothing, 40 cm-1 in 1/fs
_LONGEST = 12.0


@dataclass
class Heating:
    """What an outer step does to the temperature.

    Attributes
    ----------
    frequency
        (m,) 1/fs.
    density
        (m,) two-sided spectral density of the power of ΔF, (kcal/mol)²/ps per atom.
    interval
        fs between the steps it was taken from; frequencies beyond 1/(2 interval) are unknown.
    temperature
        K, of the dynamics.
    """

    frequency: np.ndarray
    density: np.ndarray
    interval: float
    temperature: float

    def rate(self, outer: float) -> float:
        """kcal/mol/ps per atom for an outer step in fs; NaN below two intervals."""
        highest = 0.5 * outer / self.interval * (1.0 + 1e-9)
        if highest < 1.0:
            return float("nan")
        total = 0.0
        for k in range(1, int(highest) + 1):
            near = np.exp(-0.5 * ((self.frequency - k / outer) / _WIDTH) ** 2)
            # the highest frequency of a sampled series stands for itself and its mirror image
            share = 0.5 if abs(k - 0.5 * outer / self.interval) < 1e-6 else 1.0
            total += share * float(self.density @ near / near.sum())
        return total / (BOLTZMANN * self.temperature)

    def rise(self, outer: float, friction: float) -> float:
        """K by which a Langevin thermostat of that friction, 1/ps, stays too warm."""
        return self.rate(outer) / (3.0 * friction * BOLTZMANN)

    def suggested(self, friction: float, longest: float) -> float:
        """The longest outer step, in half fs up to ``longest``, before one that may heat more than
        tolerated: the estimate times ``MARGIN``. The interval itself when there is none."""
        best = self.interval
        for outer in np.arange(np.ceil(4 * self.interval) / 2, longest + 0.01, 0.5):
            if not MARGIN * self.rise(outer, friction) <= TOLERATED * self.temperature:
                break
            best = float(outer)
        return best

    def facts(self, friction: float, longest: float) -> dict:
        """Plain values for the report."""
        steps = [float(x) for x in np.arange(1.0, 8.01, 0.5) if x >= 2 * self.interval]
        longest = min(longest, _LONGEST)
        return {"temperature": self.temperature, "friction": friction, "outer_fs": steps,
                "rate_kcal_mol_ps_atom": [self.rate(x) for x in steps],
                "rise_kelvin": [self.rise(x, friction) for x in steps],
                "suggested_outer_fs": self.suggested(friction, longest)}


def heating_of(power: np.ndarray, atoms: int, interval: float, temperature: float) -> Heating:
    """From (steps, groups) of Σ ΔF·v over the atoms of a group, kcal/mol/ps, every ``interval`` fs.

    Groups, molecules for instance, are taken as independent of each other, which gives the
    estimate the statistics of all of them. ``atoms`` is the number of atoms of all groups.
    """
    window = np.hanning(len(power))
    ps = 1e-3 * interval
    moved = (power - power.mean(axis=0)) * window[:, None]
    density = (np.abs(np.fft.rfft(moved, axis=0)) ** 2).sum(axis=1) * ps / (window**2).sum()
    return Heating(np.fft.rfftfreq(len(power), interval), density / atoms, interval, temperature)


class PowerSeries:
    """Σ ΔF·v of groups of atoms, step by step of a run.

    Velocities of a run with steps of dt are slow by sin(ωdt)/ωdt for a vibration of frequency ω
    (8 % for O-H at 1 fs); with those of the neighbouring steps, (8 v₀ − v₋₁ − v₊₁)/6, the
    derivative of the positions is of fourth order. So the series ends a step before the run does.

    Parameters
    ----------
    group
        (n,) group of each atom, from 0.
    """

    def __init__(self, group: np.ndarray) -> None:
        self.group = group
        self.values: list[np.ndarray] = []
        self._last: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, difference: np.ndarray, velocities: np.ndarray) -> None:
        """The next step: (n, 3) ΔF in kcal/mol/Å and (n, 3) velocities in Å/ps."""
        self._last.append((difference, velocities))
        if len(self._last) == 3:
            (_, before), (force, now), (_, after) = self._last
            power = (force * (8.0 * now - before - after)).sum(axis=1) / 6.0
            self.values.append(np.bincount(self.group, power))
            del self._last[0]
