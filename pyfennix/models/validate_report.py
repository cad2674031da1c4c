# SPDX-License-Identifier: MIT
"""The report of the validator: checks, their limits, and how they are printed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Check:
    """One check: its largest deviation ``value`` against ``limit``, in the model's units."""

    name: str
    passed: bool
    value: float
    limit: float
    note: str = ""

    def __str__(self) -> str:
        mark = "pass" if self.passed else "FAIL"
        return f"{mark}  {self.name:<22} {self.value:9.2e} (limit {self.limit:.0e})  {self.note}"


@dataclass
class Report:
    """All checks of one model; prints as a table."""

    model: str
    checks: list[Check] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        return "\n".join([f"model {self.model}: {verdict}", *map(str, self.checks)])


def raised(name: str, error: Exception) -> Check:
    """A failed check for a model that raised."""
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    return Check(name, False, float("nan"), 0.0, text)


def largest(difference) -> float:
    """Largest absolute value; 0 for nothing."""
    return float(np.abs(np.asarray(difference)).max(initial=0.0))


def judge(name: str, value: float, limit: float, note: str = "") -> Check:
    """A check that passes up to its limit; NaN does not."""
    return Check(name, bool(value <= limit), value, limit, note)
