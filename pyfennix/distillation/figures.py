# SPDX-License-Identifier: MIT
"""The figures of a distillation's report."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyfennix.distillation.difference import HOLE, TAIL
from pyfennix.distillation.heating import MARGIN, TOLERATED
from pyfennix.exceptions import InputError


def draw(folder: Path, facts: dict) -> list[str]:
    """Write the figures that the facts allow; names of the files, in order.

    Raises
    ------
    InputError
        When matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("the report's figures need matplotlib: pip install 'pyfennix[train]'"
                         ) from None
    names = []
    for name, key, fill in (("errors.png", "errors", _errors), ("difference.png", "difference",
                            _difference), ("spectrum.png", "spectrum", _spectrum),
                            ("heating.png", "heating", _heating)):
        # a run that failed at once has no differences to show
        if key not in facts or (key == "difference" and not any(facts[key]["counts"])):
            continue
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        fill(figure, facts[key])
        temporary = folder / f"{name}.tmp"
        with temporary.open("wb") as handle:
            FigureCanvasAgg(figure).print_png(handle)
        temporary.replace(folder / name)
        names.append(name)
    return names


def _errors(figure, facts: dict) -> None:
    left, right = figure.subplots(1, 2)
    elements = facts["by_element"]
    place = np.arange(len(elements))
    left.bar(place - 0.2, [e["mae"] for e in elements.values()], 0.4, label="MAE")
    left.bar(place + 0.2, [e["rmse"] for e in elements.values()], 0.4, label="RMSE")
    left.set_xticks(place, elements)
    left.set(ylabel="force error, meV/Å", xlabel="element")
    left.legend(frameon=False)
    rows = facts["by_magnitude"]
    labels = [f"> {r['from']:g}" if r["to"] is None else f"{r['from']:g}-{r['to']:g}"
              for r in rows]
    right.bar(np.arange(len(rows)), [100 * r["relative"] for r in rows], color="C2")
    right.set_xticks(np.arange(len(rows)), labels, fontsize=8)
    right.set(xlabel="accurate force, eV/Å", ylabel="relative error, %")


def _difference(figure, facts: dict) -> None:
    axes = figure.subplots()
    edges, counts = np.array(facts["edges"]), np.array(facts["counts"], dtype=float)
    widths = np.append(np.diff(edges), edges[-1] - edges[-2])
    seen = counts > 0
    share = counts / max(counts.sum(), 1) / widths
    axes.step(edges[seen], share[seen], where="post")
    most = max(1.3 * facts["largest"], 1.3 * TAIL)
    for limit, words in ((TAIL, "99.999 % must lie below"), (HOLE, "none beyond")):
        if limit < most:
            axes.axvline(limit, color="C3", ls="--", lw=1)
            axes.text(limit, 0.95, f" {words}", transform=axes.get_xaxis_transform(), fontsize=8,
                      color="C3", va="top")
    axes.axvline(facts["largest"], color="0.4", lw=1)
    axes.text(facts["largest"], 0.5, f" largest: {facts['largest']:.1f}", fontsize=8,
              transform=axes.get_xaxis_transform())
    axes.set(xlabel="|F(accurate) - F(fast)| of an atom, kcal/mol/Å", yscale="log",
             ylabel="density of atoms and steps", xlim=(0, most))


def _spectrum(figure, facts: dict) -> None:
    axes = figure.subplots()
    wavenumber = np.array(facts["wavenumber"])
    for key, label in (("power_of_accurate", "accurate force"), ("power", "difference")):
        scale = facts["relative_mean_square"] if key == "power" else 1.0
        axes.plot(wavenumber, scale * np.array(facts[key]), lw=1, label=label)
    for outer in (1, 2, 3, 4, 6):
        limit = 0.5e15 / outer / 2.99792458e10
        if limit < wavenumber[-1]:
            axes.axvline(limit, color="0.7", lw=0.8, ls=":")
            axes.text(limit, 0.02, f" {outer} fs", transform=axes.get_xaxis_transform(),
                      fontsize=7)
    axes.set(xlabel="wavenumber, cm$^{-1}$ (dotted: what an outer step can follow)", yscale="log",
             ylabel="power, accurate force = 1", xlim=(0, min(wavenumber[-1], 9000)))
    axes.legend(frameon=False)


def _heating(figure, facts: dict) -> None:
    axes = figure.subplots()
    outer, rise = np.array(facts["outer_fs"]), np.array(facts["rise_kelvin"])
    for friction in sorted({facts["friction"], 1.0, 5.0}):
        axes.plot(outer, rise * facts["friction"] / friction, "o-", ms=3, lw=1,
                  label=f"friction {friction:g}/ps")
    tolerated = TOLERATED * facts["temperature"] / MARGIN
    axes.axhline(tolerated, color="C3", ls="--", lw=1)
    axes.text(outer[0], tolerated, f" {100 * TOLERATED:g} % with a margin of {MARGIN:g}",
              color="C3", fontsize=8, va="bottom")
    axes.set(xlabel="outer step, fs", ylabel="too warm by, K", yscale="log")
    axes.set_ylim(bottom=1e-3)
    axes.legend(frameon=False)
