# SPDX-License-Identifier: MIT
"""The point between two layers where a decomposed run may fetch the features of ghosts."""

from __future__ import annotations

from torch import Tensor, nn


class Exchange(nn.Module):
    """Default exchange of features: the identity (wide halo, redundant work).

    The engine may replace ``model.exchange`` by a differentiable halo exchange (forward: owners
    to ghosts; backward: ghosts add to owners) with the same signature.
    """

    is_identity = True

    def forward(self, features: Tensor) -> Tensor:
        """Return (n_total, width) features in which every ghost row holds its owner's row."""
        return features
