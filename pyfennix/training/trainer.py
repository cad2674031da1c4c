# SPDX-License-Identifier: MIT
"""The training loop."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import torch

from pyfennix import units
from pyfennix.exceptions import InputError, ModelError
from pyfennix.models.fnx.checkpoint import save_fnx
from pyfennix.models.interface import SYMBOLS
from pyfennix.models.memory import keep_freed_memory
from pyfennix.progress import Progress
from pyfennix.training.batch import collate, predict
from pyfennix.training.checkpoint import NAME, load_checkpoint, save_checkpoint
from pyfennix.training.curves import write_curves
from pyfennix.training.draw import Draw
from pyfennix.training.errors import Errors, measure
from pyfennix.training.losses import member_loss, total_loss
from pyfennix.training.optimizer import make_average, make_optimizer
from pyfennix.training.settings import (
    TrainSettings,
    as_tree,
    read_settings,
)
from pyfennix.training.start import Data, first_model, load_data


class Trainer:
    """A model, its running average, optimiser, schedule, and the place in the data."""

    def __init__(self, settings: TrainSettings, folder: Path, data: Data) -> None:
        self.settings, self.folder, self.data = settings, folder, data
        torch.manual_seed(settings.optimizer.seed)
        self.model = first_model(settings, data)
        self.average = make_average(self.model, settings.optimizer.average)
        self.optimizer, self.schedule = make_optimizer(self.model, settings.optimizer)
        self.draw = Draw(data.training, settings.optimizer)
        self.step, self.seconds = 0, 0.0
        self.best, self.since_best = math.inf, 0
        self.history: list[dict[str, float]] = []
        self.recent: list[tuple[float, float]] = []

    def update(self) -> None:
        """One step of the optimiser."""
        weights, model = self.settings.loss, self.model
        batch = collate(self.draw.take(), model.cutoff, model.dtype, self.settings.run.device)
        names = model.ensembles if weights.members > 0 else ()
        scale = units.energy_in_kcal(model.energy_unit) / units.EV_IN_KCAL
        found = predict(model, batch, create_graph=True, outputs=names)
        loss = total_loss(found, batch, weights)
        for name in names:
            members = found.outputs[name] * scale
            system = batch.topology.system
            own = members.new_zeros(len(batch.sizes)).index_add(0, system, members.mean(1))
            loss = loss + member_loss(members, system, found.energy - own, batch, weights)
        trained = [p for p in model.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(loss, trained, allow_unused=True)
        for parameter, gradient in zip(trained, gradients, strict=True):
            parameter.grad = gradient
        norm = torch.nn.utils.clip_grad_norm_(trained, self.settings.optimizer.clip)
        if not bool(torch.isfinite(norm) & torch.isfinite(loss.detach())):
            raise ModelError(f"the loss or its gradient is not finite at step {self.step}: lower "
                             "learning_rate, or look for wrong labels")
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(model)
        self.step += 1
        error = (found.forces.detach() - batch.forces).abs() * batch.weights
        self.recent.append((float(loss.detach()),
                            1e3 * float(error.sum() / (3 * batch.weights.sum()).clamp(min=1))))

    def check(self) -> Errors:
        """Validate the running average; keep it when it is the best so far; write everything."""
        frames = self.data.validation or self.data.training
        most = self.settings.run.validation_frames
        model = self.average.module
        errors = measure(model, frames[:: max(1, math.ceil(len(frames) / most))])
        score = errors.force_rmse if math.isfinite(errors.force_rmse) else errors.energy_rmse
        is_best = score < self.best
        self.best, self.since_best = (score, 0) if is_best else (self.best, self.since_best + 1)
        loss, mae = np.mean(self.recent, axis=0) if self.recent else (math.nan, math.nan)
        self.recent = []
        self.history.append({
            "step": self.step, "seconds": self.seconds, "loss": float(loss),
            "learning_rate": self.optimizer.param_groups[0]["lr"], "train_force_mae": float(mae),
            "force_mae": errors.force_mae, "force_rmse": errors.force_rmse,
            "energy_rmse": errors.energy_rmse, "best": float(is_best),
        })
        if is_best:
            save_fnx(self.folder / "model.fnx", model, self.about())
        write_curves(self.folder, self.history)
        save_checkpoint(self.folder, self.state())
        return errors

    def about(self) -> dict:
        """What is written into the model's file: how it came to be, and its zero of energy."""
        references = {SYMBOLS[z]: e for z, e in self.data.references.items()}
        names = {"train": [Path(x).name for x in self.settings.data.train],
                 "teacher": Path(self.settings.teacher.model).name,
                 "start": Path(self.settings.model.start).name}
        return {"trained": {k: v for k, v in names.items() if v}, "steps": self.step,
                "energies_relative_to_eV": references,
                "loss": as_tree(self.settings.loss), "optimizer": as_tree(self.settings.optimizer)}

    def state(self) -> dict:
        """Everything a resumed training needs."""
        return {
            "settings": as_tree(self.settings), "step": self.step, "seconds": self.seconds,
            "model": self.model.state_dict(), "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict(),
            "draw": [self.draw.epoch, self.draw.position], "best": self.best,
            "since_best": self.since_best, "history": self.history,
            "threads": torch.get_num_threads(),
        }

    def restore(self) -> None:
        """Go on from the checkpoint in the folder; InputError when it does not fit."""
        settings = as_tree(self.settings)
        state = load_checkpoint(self.folder, {k: settings[k] for k in (
            "model", "data", "loss", "optimizer", "teacher")})
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.draw.epoch, self.draw.position = state["draw"]
        self.step, self.seconds, self.history = state["step"], state["seconds"], state["history"]
        self.best, self.since_best = state["best"], state["since_best"]
        if state["threads"] != torch.get_num_threads():
            print(f"note: the checkpoint was made with {state['threads']} threads, this run has "
                  f"{torch.get_num_threads()}: weights will agree to rounding only", flush=True)


def train(settings: TrainSettings | str | Path, folder: str | Path, resume: bool = False,
          quiet: bool = False) -> Trainer:
    """Train, or go on with a training, in a folder; the best model is ``model.fnx`` there.

    ``settings`` may be a TOML file (docs/training.md).

    Raises
    ------
    InputError
        When the data cannot be used, or the folder holds another training.
    ModelError
        When the loss stops being a number.
    """
    if not isinstance(settings, TrainSettings):
        settings = read_settings(settings)
    folder = Path(folder)
    if settings.run.threads:
        torch.set_num_threads(settings.run.threads)
    keep_freed_memory()
    folder.mkdir(parents=True, exist_ok=True)
    if not resume and (folder / NAME).exists():
        raise InputError(f"{folder / NAME}: a training was begun here; resume it or name a new "
                         "folder")
    data = load_data(settings, folder, resume)
    trainer = Trainer(settings, folder, data)
    if resume:
        trainer.restore()
    if not quiet:
        weights = sum(p.numel() for p in trainer.model.parameters())
        print(f"{len(data.training)} frames to train on, {len(data.validation)} to validate; "
              f"{weights} parameters; from step {trainer.step}", flush=True)
    run(trainer, quiet)
    return trainer


def run(trainer: Trainer, quiet: bool = False) -> None:
    """All steps that are left."""
    settings, begin, offset = trainer.settings.run, time.monotonic(), trainer.seconds
    steps = trainer.settings.optimizer.steps
    progress = Progress(steps, "steps", trainer.step)
    while trainer.step < steps:
        trainer.update()
        trainer.seconds = offset + time.monotonic() - begin
        if not quiet:
            progress.show(trainer.step)
        if trainer.step % settings.check_every == 0 or trainer.step == steps:
            errors = trainer.check()
            if not quiet:
                progress.note(f"step {trainer.step}  loss {trainer.history[-1]['loss']:.4f}  "
                              f"{errors}  {trainer.seconds / 60:.1f} min")
            if settings.patience and trainer.since_best >= settings.patience:
                print(f"stopped early: {settings.patience} checks without improvement", flush=True)
                break
