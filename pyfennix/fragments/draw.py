# SPDX-License-Identifier: MIT
"""Draws fragments as balls and sticks, with inner atoms and caps marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.fragments.fragment import Fragment
from pyfennix.fragments.molecules import find_molecules
from pyfennix.models.interface import SYMBOLS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLORS = {1: "#d9d9d9", 6: "#454545", 7: "#2f5fd0", 8: "#d8302a", 9: "#58b858", 11: "#9a5fd0",
           15: "#e88a1a", 16: "#e0b400", 17: "#2ca02c"}
_OTHER, _INNER, _CAP = "#c050a0", "#ffc400", "#e6007e"
_SLABS = 48  # drawn from the back to the front
_SMALL = 5  # atoms of molecules drawn as thin lines: solvent


def draw_fragments(fragments: Sequence[Fragment], path: str | Path | None = None,
                   titles: Sequence[str] | None = None, columns: int = 4,
                   reach: float = 14.0) -> Figure:
    """Draw fragments, one panel each, seen along the direction in which they are flattest.

    Bonds are half in the colour of either atom, solvent thin, the far side pale. Inner atoms are
    balls with a golden rim, caps small white ones with a magenta rim.

    Parameters
    ----------
    fragments
        At least one.
    path
        Where to write the figure; its suffix tells the format. None writes nothing.
    titles
        Of each panel, above its own line of facts.
    columns
        Panels beside each other.
    reach
        Å from the inner atoms up to which a fragment is drawn.

    Raises
    ------
    InputError
        When there is no fragment, titles do not fit them, or matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("drawing needs matplotlib: pip install 'pyfennix[analysis]'") from None
    if not fragments or (titles is not None and len(titles) != len(fragments)):
        raise InputError("expected fragments to draw, and a title for each or none")
    columns = min(columns, len(fragments))
    rows = -(-len(fragments) // columns)
    figure = Figure(figsize=(4.1 * columns, 4.5 * rows + 0.8), dpi=130)
    extent = 0.0
    for k, fragment in enumerate(fragments):
        axes = figure.add_subplot(rows, columns, k + 1)
        shown, far = _draw(axes, fragment, reach)
        extent = max(extent, far + 0.5)
        facts = (f"{len(fragment)} atoms, {fragment.inner.sum()} inner, {len(fragment.caps)} caps"
                 + ("" if shown == len(fragment) else f"\ndrawn within {reach:g} Å"))
        axes.set_title("\n".join([*([titles[k]] if titles else []), facts]), fontsize=9, y=0.97)
    for axes in figure.axes:
        _frame(axes, extent)
    _add_legend(figure, fragments, columns)
    edge = 0.8 / (4.5 * rows + 0.8)
    figure.subplots_adjust(left=0.01, right=0.99, top=1.0 - edge, bottom=edge, wspace=0.03,
                           hspace=0.2)
    if path is not None:
        figure.savefig(path)
    return figure


def _frame(axes: Axes, extent: float) -> None:
    """The same scale for all panels, and a bar that shows it."""
    axes.set_xlim(-extent, extent)
    axes.set_ylim(-extent, extent)
    axes.set_aspect("equal")
    left, low = -0.97 * extent, -0.97 * extent
    axes.plot([left, left + 5.0], [low, low], color="black", lw=1.5, zorder=_SLABS + 2)
    axes.text(left + 2.5, low + 0.02 * extent, "5 Å", ha="center", fontsize=7, zorder=_SLABS + 2)


def _draw(axes: Axes, fragment: Fragment, reach: float) -> tuple[int, float]:
    """Draw one fragment; returns how many atoms are shown, and how far from the middle, in Å."""
    near = fragment.distance <= reach
    partner = fragment.partner
    # a cap is drawn with the atom it is bonded to
    near[fragment.caps] = near[partner[fragment.caps]]
    part = fragment.take(np.flatnonzero(near))
    molecules = find_molecules(part.numbers, part.positions, None, part.bonds)
    solvent = (molecules.size <= _SMALL)[molecules.molecule]
    place = _turned(part, solvent)
    color = np.array([_COLORS.get(int(z), _OTHER) for z in part.numbers])
    depth = place[:, 2]
    slab = ((depth - depth.min()) / (np.ptp(depth) + 1e-9) * (_SLABS - 1)).astype(int)
    paleness = 0.4 + 0.6 * (depth - depth.min()) / (np.ptp(depth) + 1e-9)
    _draw_bonds(axes, part, place, color, slab, paleness, solvent)
    _draw_atoms(axes, part, place, color, slab, paleness)
    axes.axis("off")
    return len(part), float(np.abs(place[:, :2]).max())


def _turned(part: Fragment, solvent: np.ndarray) -> np.ndarray:
    """(n, 3) positions about their middle, turned so that z is the flattest direction."""
    seen = part.inner | ~solvent if (~solvent).any() else np.ones(len(part), bool)
    place = part.positions - part.positions[seen].mean(axis=0)
    _, _, axes = np.linalg.svd(place[seen], full_matrices=True)
    axes[2] *= np.sign(np.linalg.det(axes))
    turned = place @ axes.T
    return turned - 0.5 * (turned.min(axis=0) + turned.max(axis=0))


def _draw_bonds(axes: Axes, part: Fragment, place, color, slab, paleness, solvent) -> None:
    """Each bond as two halves, at the depth of their atoms."""
    from matplotlib.collections import LineCollection

    if not len(part.bonds):
        return
    ends = np.concatenate([part.bonds, part.bonds[:, ::-1]])
    middle = 0.5 * (place[ends[:, 0], :2] + place[ends[:, 1], :2])
    halves = np.stack([place[ends[:, 0], :2], middle], axis=1)
    width = np.where(solvent[ends[:, 0]], 0.9, 2.6)
    for level in np.unique(slab):
        rows = np.flatnonzero(slab[ends[:, 0]] == level)
        own = ends[rows, 0]
        axes.add_collection(LineCollection(
            halves[rows], colors=[_faded(c, a) for c, a in
                                  zip(color[own], paleness[own], strict=True)],
            linewidths=width[rows], capstyle="round", zorder=level))


def _draw_atoms(axes: Axes, part: Fragment, place, color, slab, paleness) -> None:
    """Balls for inner atoms and caps, dots for single ions; none for others."""
    alone = np.bincount(part.bonds.ravel(), minlength=len(part)) == 0
    cap = part.source < 0
    size = np.where(part.numbers == 1, 26.0, 62.0)
    size = np.where(cap, 20.0, size)
    for level in np.unique(slab):
        for group, rim, line in ((part.inner, _INNER, 1.7), (cap, _CAP, 1.2),
                                 (alone & ~part.inner, "black", 0.6)):
            rows = np.flatnonzero((slab == level) & group)
            if not len(rows):
                continue
            # inner atoms are what the picture is about: never pale
            faces = ["white" if cap[k] else color[k] if part.inner[k]
                     else _faded(color[k], paleness[k]) for k in rows]
            rims = rim if rim == _INNER else [_faded(rim, paleness[k]) for k in rows]
            axes.scatter(*place[rows, :2].T, s=size[rows], c=faces, edgecolors=rims,
                         linewidths=line, zorder=level + 0.5)


def _faded(color: str, strength: float) -> tuple[float, float, float]:
    """A colour mixed with white: 1 is the colour, 0 is white."""
    own = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255.0 \
        if color.startswith("#") else np.zeros(3)
    return tuple((1.0 - strength * (1.0 - own)).tolist())


def _add_legend(figure: Figure, fragments: Sequence[Fragment], columns: int) -> None:
    """One line of elements, inner atoms and caps below the panels."""
    from matplotlib.lines import Line2D

    def ball(face: str, rim: str, size: float) -> Line2D:
        return Line2D([], [], ls="", marker="o", mfc=face, mec=rim, ms=size, mew=1.5)

    elements = sorted({int(z) for fragment in fragments for z in fragment.numbers})
    colors = [_COLORS.get(z, _OTHER) for z in elements]
    handles = [Line2D([], [], color=color, lw=4) for color in colors]
    names = [SYMBOLS[z] for z in elements]
    thin = Line2D([], [], color=_COLORS[8], lw=0.8)
    figure.legend([*handles, thin, ball("#bbbbbb", _INNER, 8), ball("white", _CAP, 6)],
                  [*names, "small molecules (thin)", "inner atom (labels trusted)",
                   "cap (H in place of a cut bond)"],
                  loc="lower center", ncol=min(len(names) + 3, 2 * columns), frameon=False,
                  fontsize=9)
