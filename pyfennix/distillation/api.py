# SPDX-License-Identifier: MIT
"""Distillation from Python: one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from pyfennix.distillation.pipeline import run_distillation
from pyfennix.distillation.settings import DistillSettings
from pyfennix.exceptions import InputError
from pyfennix.models.adapters.door import AnyModel


def distill(systems: str | Path | Sequence[str | Path], accurate: str | Path | AnyModel,
            folder: str | Path | None = None, **options: object) -> dict:
    """Make a fast model of an accurate one for a system; what `pyfennix distill` does.

    >>> fx.distill("water", accurate="water-accurate", rounds=3)        # doctest: +SKIP

    Parameters
    ----------
    systems
        NAME of NAME.xyz and NAME.key, or a structure file; or several.
    accurate
        A shipped name, a file, a model object or an ASE calculator.
    folder
        Where everything is written, ``fast.fnx`` and ``report.html`` among it; default:
        SYSTEM-distilled, or SYSTEM-repaired. What is there already is gone on with.
    options
        Fields of :class:`pyfennix.distillation.settings.DistillSettings`.

    Returns
    -------
    dict
        What ``report.json`` holds.

    Raises
    ------
    InputError
        For a system, file or option that cannot be used.
    ModelError
        When a model cannot be read or fails.
    """
    names = [systems] if isinstance(systems, str | Path) else list(systems)
    known = {part.name for part in fields(DistillSettings)} - {"systems", "accurate", "folder"}
    unknown = sorted(set(options) - known)
    if unknown:
        raise InputError(f"{unknown[0]} is no option of a distillation: there are "
                         f"{', '.join(sorted(known))}")
    if not names:
        raise InputError("no system is named to distil for")
    done = "repaired" if options.get("repair") else "distilled"
    folder = Path(folder or f"{Path(names[0]).stem}-{done}")
    return run_distillation(DistillSettings([str(name) for name in names], accurate, folder,
                                            **options))
