# SPDX-License-Identifier: MIT
"""Where the reference data lie, which are not part of the repository; tests skip without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared(*parts: str) -> Path:
    """A path below $PYFENNIX_SHARED, else ``../shared`` beside the checkout; skips if absent."""
    default = Path(__file__).resolve().parents[3] / "shared"
    path = Path(os.environ.get("PYFENNIX_SHARED", default)).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no reference data: {'/'.join(parts)} is not below $PYFENNIX_SHARED")
    return path
