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
        K.
    """

    frequency: np.ndarray
    density: np.ndarray
    interval: float
    temperature: float

    def rate(self, outer: float) -> float:
        """kcal/mol/ps per atom for an outer step in fs; NaN below two intervals."""
        highest = 0.5 / self.interval * (1.0 + 1e-9)
        if 1.0 / outer > highest:
            return float("nan")
        total = 0.0
        for k in range(1, int(highest * outer) + 1):
            near = np.exp(-0.5 * ((self.frequency - k / outer) / _WIDTH) ** 2)
            total += float(self.density @ near / near.sum())
        return total / (BOLTZMANN * self.temperature)

    def rise(self, outer: float, friction: float) -> float:
        """K by which a Langevin thermostat of that friction, 1/ps, stays too warm."""
        return self.rate(outer) / (3.0 * friction * BOLTZMANN)

    def suggested(self, friction: float, longest: float = _LONGEST) -> float:
        """The longest outer step, in half fs up to ``longest``, before one that heats more than
        tolerated; the interval itself when there is none."""
        best = self.interval
        for outer in np.arange(np.ceil(4 * self.interval) / 2, longest + 0.01, 0.5):
            if not self.rise(outer, friction) <= TOLERATED * self.temperature:
                break
            best = float(outer)
        return best

    def facts(self, friction: float, longest: float) -> dict:
        """Plain values for the report."""
        steps = [float(x) for x in np.arange(1.0, 8.01, 0.5) if x >= 2 * self.interval]
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
