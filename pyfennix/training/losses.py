# SPDX-License-Identifier: MIT
"""What a training makes small: robust errors of forces, energies and virials."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import huber_loss

from pyfennix.training.batch import Batch, Prediction
from pyfennix.training.settings import LossSettings


def total_loss(found: Prediction, batch: Batch, weights: LossSettings) -> Tensor:
    """A 0-d loss; every part is a mean of Huber losses in units of its scale.

    Forces count per component, energies and virials per atom; a label that is unknown counts
    nothing. Within a family the *change* of each atom's force counts as well: what a fast model
    misses of a vibration's anharmonicity resonates with the outer step, and is hidden below what it
    misses of far neighbours, which does not change when a bond is stretched.
    """
    loss = weights.forces * _mean(found.forces, batch.forces, weights.force_scale,
                                  batch.weights.expand_as(found.forces))
    sizes = batch.sizes
    loss = loss + weights.energy * _mean(
        found.energy / sizes, batch.energy / sizes, weights.energy_scale, batch.has_energy)
    if weights.virial > 0 and bool(batch.has_virial.any()):
        per = sizes.view(-1, 1, 1)
        loss = loss + weights.virial * _mean(
            found.virial / per, batch.virial / per, weights.energy_scale,
            batch.has_virial.view(-1, 1, 1).expand_as(batch.virial))
    if weights.change > 0 and len(batch.relatives):
        first, other = batch.relatives.unbind(1)
        change = [forces.index_select(0, other) - forces.index_select(0, first)
                  for forces in (found.forces, batch.forces)]
        known = batch.weights.index_select(0, first) * batch.weights.index_select(0, other)
        loss = loss + weights.change * _mean(*change, weights.force_scale,
                                             known.expand_as(change[0]))
    return loss


def member_loss(members: Tensor, system: Tensor, rest: Tensor, batch: Batch,
                weights: LossSettings) -> Tensor:
    """Energy loss of each member of an ensemble of (n, members) atomic energies in eV.

    ``rest`` (frames,) is what is not the ensemble's in the energy (the repulsion).
    """
    sums = members.new_zeros(len(batch.sizes), members.shape[1]).index_add(0, system, members)
    sizes = batch.sizes.unsqueeze(1)
    wanted = (batch.energy - rest.detach()).unsqueeze(1).expand_as(sums)
    known = batch.has_energy.unsqueeze(1).expand_as(sums)
    return weights.members * _mean(sums / sizes, wanted / sizes, weights.energy_scale, known)


def _mean(found: Tensor, wanted: Tensor, scale: float, known: Tensor) -> Tensor:
    """Weighted mean of Huber losses of the ratio of error and scale, times the scale.

    Times the scale, so that far outside it is the mean absolute error.
    """
    loss = huber_loss(found / scale, wanted / scale, reduction="none")
    # without any known label the sum is 0, and so must its gradient be: no infinite factor
    return scale * (loss * known).sum() / known.sum().clamp(min=1e-6)
