# SPDX-License-Identifier: MIT
"""What the registry must know of a door: one kind of file or object that becomes a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyfennix.models.interface import Model
from pyfennix.models.total_energy import TotalEnergyModel

AnyModel = Model | TotalEnergyModel


@dataclass(frozen=True)
class Door:
    """One way in for models. What it needs beyond torch is imported only when it is used.

    Attributes
    ----------
    what
        For messages: "a checkpoint of FeNNol".
    suffixes
        Of the files it opens; empty for a door that takes objects only.
    load
        (path, word) -> model; the word is what follows the path in ``FILE:word``, "" if nothing.
    takes, wrap
        Whether a Python object is of this kind, and the model it makes.
    """

    what: str
    suffixes: tuple[str, ...] = ()
    load: Callable[[Path, str], AnyModel] | None = None
    takes: Callable[[object], bool] = lambda _: False
    wrap: Callable[[object], AnyModel] | None = None
