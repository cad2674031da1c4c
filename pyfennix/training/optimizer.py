# SPDX-License-Identifier: MIT
"""Optimiser, learning rate and running average, all torch's own."""

from __future__ import annotations

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR
from torch.optim.swa_utils import AveragedModel

from pyfennix.training.settings import OptimizerSettings

# parameters by which the invariants are scaled come from the data and stay
FROZEN = (".scale", ".shift")


def make_optimizer(model: nn.Module, settings: OptimizerSettings) -> tuple[AdamW, LRScheduler]:
    """AdamW; a linear warm-up, then half a cosine down to ``final_rate``."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = AdamW(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    warmup = min(settings.warmup, settings.steps - 1)
    cosine = CosineAnnealingLR(optimizer, settings.steps - warmup,
                               eta_min=settings.learning_rate * settings.final_rate)
    if warmup == 0:
        return optimizer, cosine
    rise = LinearLR(optimizer, start_factor=1.0 / warmup, total_iters=warmup)
    return optimizer, SequentialLR(optimizer, [rise, cosine], [warmup])


def make_average(model: nn.Module, decay: float) -> AveragedModel:
    """A running average that begins as a plain mean, so that the first weights are forgotten."""

    def update(mean, now, seen):
        # seen: how often the average was updated before
        return mean.lerp(now, 1.0 - min(decay, float((1 + seen) / (10 + seen))))

    return AveragedModel(model, avg_fn=update)
