# SPDX-License-Identifier: MIT
"""The point between two layers where a decomposed run may fetch the features of ghosts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Exchange(nn.Module):
    """Default exchange of features: the identity (wide halo, redundant work).

    The engine may replace ``model.exchange`` by a differentiable halo exchange (forward: owners
    to ghosts; backward: ghosts add to owners) with the same signature.
    """

    is_identity = True
    completes = False  # takes the rows of own atoms alone, and returns those of all

    def forward(self, features: Tensor) -> Tensor:
        """Return (n_total, width) features in which every ghost row holds its owner's row."""
        return features

    def begin(self, vectors: Tensor, n_total: int) -> None:
        """Called before an evaluation, with what energies are differentiated by and all atoms."""

    def tie(self, energy: Tensor) -> Tensor:
        """Called with the summed energy before it is differentiated."""
        return energy


# Works on contiguous (n_total, width) rows in place: owners to ghosts, or backward ghosts to owners
Swap = Callable[[Tensor, bool], None]


class SwapExchange(Exchange):
    """An exchange of rows by a function that swaps them in place.

    Features may have rows for own atoms only (at least those), since ghosts' rows are fetched.

    All partners must swap equally often, forward and backward. A partner whose energies depend
    on no exchanged feature would never come to swap backward, so what is exchanged is tied to
    the edge vectors and, with weight zero, to the energy.

    Parameters
    ----------
    swap
        ``swap(rows, backward)``; backward it leaves zeros in the rows of ghosts.
    """

    is_identity = False
    completes = True

    def __init__(self, swap: Swap) -> None:
        super().__init__()
        self._swap = swap
        self._vectors: Tensor | None = None
        self._n_total = 0
        self._exchanged: list[Tensor] = []

    def begin(self, vectors: Tensor, n_total: int) -> None:
        """See the base class."""
        self._vectors, self._n_total, self._exchanged = vectors, n_total, []

    def forward(self, features: Tensor) -> Tensor:
        """See the base class."""
        exchanged = _Swapped.apply(features, self._vectors, self._n_total, self._swap)
        if exchanged.requires_grad:
            self._exchanged.append(exchanged)
        return exchanged

    def tie(self, energy: Tensor) -> Tensor:
        """See the base class; also forgets what was exchanged."""
        for exchanged in self._exchanged:
            # the first row is enough; of no row at all the sum is zero
            energy = energy + 0.0 * exchanged[:1].sum()
        self._vectors, self._exchanged = None, []
        return energy


class _Swapped(torch.autograd.Function):
    @staticmethod
    def forward(ctx, features: Tensor, _vectors: Tensor, n_total: int, swap: Swap) -> Tensor:
        ctx.swap, ctx.n = swap, len(features)
        rows = features.new_empty(n_total, features.shape[1])
        rows[: ctx.n] = features
        swap(rows, False)
        return rows

    @staticmethod
    def backward(ctx, gradient: Tensor):
        rows = gradient.clone(memory_format=torch.contiguous_format)
        ctx.swap(rows, True)
        return rows[: ctx.n], None, None, None
