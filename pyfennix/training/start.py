# SPDX-License-Identifier: MIT
"""From settings to data and an untrained model: what a training begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pyfennix.exceptions import InputError
from pyfennix.models.density.module import DensityModule
from pyfennix.models.fnx.checkpoint import load_fnx
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.interface import SYMBOLS
from pyfennix.models.registry import checkpoint_file, load_model
from pyfennix.progress import Progress
from pyfennix.training.batch import collate
from pyfennix.training.errors import energy_gap, predicted_energy
from pyfennix.training.frames import Frame, split_by_run
from pyfennix.training.readers import read_all
from pyfennix.training.references import fit_references, subtract
from pyfennix.training.settings import TrainSettings
from pyfennix.training.shapes import find_walls, make_model, numbers_of
from pyfennix.training.store import read_store, write_store
from pyfennix.training.teacher import label


@dataclass
class Data:
    """Frames with energies relative to ``references`` ({Z: eV})."""

    training: list[Frame]
    validation: list[Frame]
    references: dict[int, float]


def load_data(settings: TrainSettings, folder: Path, resume: bool = False) -> Data:
    """Read, filter, divide and, with a teacher, label the frames.

    What the teacher says is kept in ``labelled.h5`` of the folder and read from there when the
    training is resumed.

    Raises
    ------
    InputError
        When a file cannot be used, or nothing is left.
    """
    wanted = settings.data
    if not wanted.train:
        raise InputError("[data] train names no file to learn from")
    training = read_all(wanted.train)
    if wanted.validation:
        validation = read_all(wanted.validation)
    else:
        training, validation = split_by_run(training, wanted.held_out, wanted.split_seed)
    if settings.teacher.model:
        training, validation = _taught(settings, folder, training, validation, resume)
    parts = []
    for part in (training, validation):
        kept = [f for f in part if f.forces is None or f.largest_force < wanted.max_force]
        if len(kept) < len(part):
            print(f"{len(part) - len(kept)} of {len(part)} frames left out: a force above "
                  f"{wanted.max_force:g} eV/Å", flush=True)
        parts.append(kept)
    training, validation = parts
    if not any(f.forces is not None or f.energy is not None for f in training):
        raise InputError(f"{wanted.train[0]}: no frame with energies or forces is left to train on")
    if validation and not any(f.forces is not None or f.energy is not None for f in validation):
        raise InputError("no validation frame has energies or forces to choose the best weights by")
    if wanted.references:
        references = {numbers_of([s])[0]: float(e) for s, e in wanted.references.items()}
    elif settings.model.start:
        references = _gaps(settings.model.start, training)
    else:
        references = fit_references(training)
    subtract(training + validation, references)
    return Data(training, validation, references)


def _gaps(start: str, frames: Sequence[Frame]) -> dict[int, float]:
    """References that put the labels on the zero of energy of a model to go on from.

    Fitted to labels less what the model says, so that whatever zero the labels have, of another
    method or program, the weights need not move for it.
    """
    model = load_model(start)
    known = [f for f in frames if f.energy is not None and f.weights is None]
    gaps = []
    for frame in known[:: max(1, len(known) // 100)]:
        _check_known(start, model, frame)
        gaps.append(Frame(frame.numbers, frame.positions,
                          energy=frame.energy - predicted_energy(model, frame)))
    every = {int(z) for frame in frames for z in np.unique(frame.numbers)}
    return dict.fromkeys(every, 0.0) | fit_references(gaps)


def _check_known(name: str, model: FennixModel, frame: Frame) -> None:
    """InputError when the model lacks an element of the frame."""
    missing = {int(z) for z in frame.numbers} - set(model.elements)
    if missing:
        names = ", ".join(SYMBOLS[z] for z in sorted(missing))
        raise InputError(f"{name}: the model does not know {names} of the data")


def _taught(settings: TrainSettings, folder: Path, training: list[Frame],
            validation: list[Frame], resume: bool) -> tuple[list[Frame], list[Frame]]:
    files = [folder / "labelled.h5", folder / "labelled-validation.h5"]
    if not (resume and all(file.is_file() for file in files)):
        teacher = load_model(settings.teacher.model, settings.teacher.dtype)
        frames = training + validation
        progress = Progress(len(frames), "frames labelled")
        label(teacher, frames, progress.show)
        for file, part in zip(files, (training, validation), strict=True):
            write_store(file, part)
    return tuple(read_store(file, empty=True) for file in files)


def first_model(settings: TrainSettings, data: Data) -> FennixModel:
    """The model before its first step: the file given, or random weights scaled to the data."""
    wanted = settings.model
    if wanted.start:
        if wanted.changes or wanted.elements:
            raise InputError(f"{wanted.start}: a model to go on from has its sizes and elements; "
                             "leave changes and elements out")
        model = load_fnx(checkpoint_file(wanted.start))
        for frame in data.training:
            _check_known(wanted.start, model, frame)
    else:
        present = _elements(data.training) | _elements(data.validation)
        elements = numbers_of(wanted.elements) or sorted(present)
        if present - set(elements):
            names = ", ".join(SYMBOLS[z] for z in sorted(present - set(elements)))
            raise InputError(f"elements lacks {names} of the data")
        walls = find_walls(data.training, elements)
        model = make_model(wanted.shape, elements, wanted.changes, walls)
    if settings.loss.members > 0 and not model.ensembles:
        raise InputError("[loss] members counts nothing: the model is no ensemble; give changes = "
                         "{ members = 8 } to a RASTER shape")
    try:
        model.to(device=torch.device(settings.run.device))
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device {settings.run.device!r} cannot be used ({reason})") from None
    scale_to(model, data.training, fresh=not wanted.start)
    return model


def _elements(frames: Sequence[Frame]) -> set[int]:
    return {int(z) for frame in frames for z in np.unique(frame.numbers)}


def scale_to(model: FennixModel, frames: Sequence[Frame], fresh: bool) -> None:
    """Mark what is trained; of a fresh model, scale invariants and set the mean energy."""
    model.requires_grad_(True).train()
    for module in model.modules():
        if isinstance(module, DensityModule):
            module.training_kernels = True
            if fresh:
                sample = frames[:: max(1, len(frames) // 40)]
                # on a device of its own the invariants are found there
                _scale_invariants(model, module, sample)
            module.scale.requires_grad_(False)
            module.shift.requires_grad_(False)
    if not fresh:
        return
    gap = energy_gap(model, frames)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if _is_output_bias(model, name):
                parameter += gap


def _scale_invariants(model: FennixModel, module: DensityModule, frames: Sequence[Frame]) -> None:
    """Mean 0 and standard deviation 1 for every invariant of every element."""
    batch = collate(frames, model.cutoff, model.dtype, next(model.parameters()).device)
    graph = batch.topology.graph(batch.positions, batch.cells, model.cutoff, model.dtype, False)
    with torch.no_grad():
        for place, values in enumerate(module.all_invariants(graph)):
            if len(values) > 1:
                module.shift[place] = values.mean(0)
                # a feature that hardly varies in the sample is not blown up
                module.scale[place] = 1.0 / (values.std(0) + 1e-3)


def _is_output_bias(model: FennixModel, name: str) -> bool:
    """Whether this is the last bias of a network of atomic energies."""
    owners = [f"parts.{key}." for key in _energy_parts(model)]
    if not name.endswith(".bias") or not any(owner in name for owner in owners):
        return False
    path, _, layer = name.removesuffix(".bias").rpartition(".")
    return layer == f"Layer_{model.get_submodule(path).depth}"


def _energy_parts(model: FennixModel) -> list[str]:
    means = [key.removesuffix("_mean") for key in model.energy_terms]
    return [key for key in {*model.energy_terms, *means} if key in model.parts]
