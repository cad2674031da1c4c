# SPDX-License-Identifier: MIT
"""Learning curves: one csv line per check, and a figure of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

COLUMNS = ("step", "seconds", "learning_rate", "loss", "train_force_mae", "force_mae",
           "force_rmse", "energy_rmse", "best")  # fmt: skip


def write_curves(folder: Path, history: Sequence[dict[str, float]]) -> None:
    """``curves.csv`` and, where matplotlib is installed, ``curves.png``; both replaced at once."""
    temporary = folder / "curves.csv.tmp"
    with temporary.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in history:
            writer.writerow({key: f"{row[key]:.6g}" for key in COLUMNS})
    temporary.replace(folder / "curves.csv")
    try:
        _draw(folder, history)
    except ImportError:
        return  # the csv is there; drawing is an extra (pyfennix[analysis])


def _draw(folder: Path, history: Sequence[dict[str, float]]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps = [row["step"] for row in history]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.plot(steps, [row["train_force_mae"] for row in history], label="training, MAE")
    left.plot(steps, [row["force_mae"] for row in history], label="validation, MAE")
    left.plot(steps, [row["force_rmse"] for row in history], label="validation, RMSE")
    left.set(ylabel="force error, meV/Å", yscale="log")
    left.legend(frameon=False, fontsize=8)
    middle.plot(steps, [row["energy_rmse"] for row in history], color="C3")
    middle.set(ylabel="energy RMSE, meV/atom", yscale="log")
    right.plot(steps, [row["learning_rate"] for row in history], color="C2")
    right.set(ylabel="learning rate")
    for axes in (left, middle, right):
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
    temporary = folder / "curves.tmp.png"
    FigureCanvasAgg(figure).print_png(temporary)
    temporary.replace(folder / "curves.png")
