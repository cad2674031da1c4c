# SPDX-License-Identifier: MIT
"""Training frames from fragments of geometries that are too big to be evaluated whole."""

from __future__ import annotations

from collections.abc import Sequence

from pyfennix.distillation.settings import DistillSettings
from pyfennix.fragments.choose import choose_centers
from pyfennix.fragments.label import Labels, exact_margin, label_region
from pyfennix.fragments.molecules import find_molecules
from pyfennix.models.adapters.door import AnyModel
from pyfennix.models.registry import load_model
from pyfennix.progress import Progress
from pyfennix.training.frames import Frame
from pyfennix.training.shapes import make_model

# Å kept around inner atoms beyond what the fast model's forces feel, so that rounding of a
# distance never decides
_SLACK = 0.1


def from_fragments(settings: DistillSettings, accurate: AnyModel,
                   frames: Sequence[Frame]) -> list[Frame]:
    """Labelled fragments of each frame, cut down to what the fast model sees of inner atoms.

    Only forces are labels, and only those of inner atoms have weight. Other centers are chosen in
    each frame.

    Raises
    ------
    InputError
        For a geometry that cannot be cut.
    ModelError
        As of :func:`pyfennix.fragments.label.label_fragment`.
    """
    if not frames:
        return []
    reach = _reach(settings, frames)
    found: list[Frame] = []
    progress = Progress(len(frames) * settings.fragments, "fragments")
    for k, frame in enumerate(frames):
        bonds = find_molecules(frame.numbers, frame.positions, frame.cell)
        centers = choose_centers(frame.numbers, frame.positions, frame.cell, settings.fragments,
                                 bonds, seed=settings.seed + k)
        for center in centers:
            labels = label_region(accurate, frame.numbers, frame.positions, frame.cell,
                                  int(center), settings.inner_radius, settings.margin, bonds,
                                  charge=frame.charge)
            if labels.exact:  # else caps and completed molecules are part of what was labelled
                labels = labels.trim(min(reach, labels.fragment.margin))
            found.append(_as_frame(labels, frame))
            progress.show(len(found))
    return found


def _reach(settings: DistillSettings, frames: Sequence[Frame]) -> float:
    """Å around inner atoms that the fast model's forces feel."""
    if settings.start:
        return exact_margin(load_model(settings.start)) + _SLACK
    elements = sorted({int(z) for frame in frames for z in frame.numbers})
    return exact_margin(make_model(settings.shape, elements, settings.changes)) + _SLACK


def _as_frame(labels: Labels, parent: Frame) -> Frame:
    part = labels.fragment
    return Frame(part.numbers, part.positions, None, None, labels.forces, None, 0.0, parent.run,
                 labels.weight, "fragment")
