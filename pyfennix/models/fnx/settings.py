# SPDX-License-Identifier: MIT
"""Reading the settings of a module from a file, each refused with one sentence when unusable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pyfennix.exceptions import ModelError

# No published model comes near; beyond it a file asks for gigabytes of parameters
_LARGEST = 65536


def identifier(name: str, params: Mapping) -> str:
    """What a list entry is: its ``module_name`` or ``FID``, else its own name; lower case."""
    return str(params.get("module_name", params.get("FID", name))).lower()


def only(params: Mapping, key: str, *allowed: Any) -> None:
    """Refuse a setting that is valid in FeNNol but not implemented here."""
    # compared with their types: True is not 1, nor an array any of them
    if key in params and not any(
        type(params[key]) is type(value) and params[key] == value for value in allowed
    ):
        known = " or ".join(repr(value) for value in allowed if value is not None)
        raise ModelError(f"{key} = {_shown(params[key])} is not supported: use {known}")


def required(params: Mapping, key: str) -> Any:
    """A setting without a default."""
    if key not in params:
        raise ModelError(f"setting {key} is missing")
    return params[key]


def number(params: Mapping, key: str, default: float | None = None) -> float:
    """A positive, finite number."""
    value = required(params, key) if default is None else params.get(key, default)
    if not _real(value) or not 0.0 < value < math.inf:
        raise ModelError(f"{key} = {_shown(value)} is not a positive number")
    return float(value)


def whole(params: Mapping, key: str, default: int | None = None, low: int = 1,
          high: int = _LARGEST) -> int:
    """A whole number from ``low`` to ``high``."""
    value = required(params, key) if default is None else params.get(key, default)
    return _whole(key, value, low, high)


def wholes(params: Mapping, key: str, default: list[int] | None = None) -> list[int]:
    """A list of whole numbers, at least one."""
    value = required(params, key) if default is None else params.get(key, default)
    if not isinstance(value, list | tuple) or not 0 < len(value) <= 64:
        raise ModelError(f"{key} = {_shown(value)} is not a list of whole numbers")
    return [_whole(key, item, 1, _LARGEST) for item in value]


def text(params: Mapping, key: str, default: str | None = None) -> str:
    """A text."""
    value = required(params, key) if default is None else params.get(key, default)
    if not isinstance(value, str):
        raise ModelError(f"{key} = {_shown(value)} is not a text")
    return value


def texts(params: Mapping, key: str) -> list[str]:
    """A list of texts, at least one."""
    value = required(params, key)
    if not isinstance(value, list | tuple) or not value or not all(
        isinstance(item, str) for item in value
    ):
        raise ModelError(f"{key} = {_shown(value)} is not a list of texts")
    return list(value)


def flag(params: Mapping, key: str, default: bool) -> bool:
    """True or false."""
    value = params.get(key, default)
    if not isinstance(value, bool):
        raise ModelError(f"{key} = {_shown(value)} is neither true nor false")
    return value


def _real(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(key: str, value: Any, low: int, high: int) -> int:
    if not _real(value) or value != value or value in (math.inf, -math.inf) or int(value) != value:
        raise ModelError(f"{key} = {_shown(value)} is not a whole number")
    if not low <= value <= high:
        raise ModelError(f"{key} = {_shown(value)} is not from {low} to {high}")
    return int(value)


def _shown(value: Any) -> str:
    """A value as it fits into a sentence."""
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= 60 else shown[:57] + "..."


class Settings(dict):
    """A module's settings, which knows what was asked for: the rest would be ignored."""

    def __init__(self, params: Mapping) -> None:
        super().__init__(params)
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As of any dict."""
        self.asked.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)

    def refuse_unasked(self) -> None:
        """ModelError for a setting that nobody has looked at, unless it is without effect."""
        for key in sorted(set(self) - self.asked - {"module_name", "FID", "kernel_init"}):
            known = ", ".join(sorted(self.asked))
            raise ModelError(f"setting {key!r} is not supported: supported are {known}")
