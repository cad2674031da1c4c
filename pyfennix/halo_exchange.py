# SPDX-License-Identifier: MIT
"""The engine's exchange of features between ranks, as models call it."""

from __future__ import annotations

import torch
from torch import Tensor

from pyfennix import seam
from pyfennix.exceptions import ModelError

_KINDS = {torch.float64: seam.DOUBLE, torch.float32: seam.FLOAT}


class HaloSwap:
    """Swaps rows of features with other ranks through the function that a request offers."""

    def __init__(self) -> None:
        self._key: tuple | None = None
        self._function: seam.ExchangeFunction | None = None
        self._n_total = 0

    def connect(self, request: seam.ForceRequest) -> None:
        """Use the exchange of this request for the evaluation that begins."""
        key = request.exchange, request.exchange_context
        if key != self._key:
            self._key = key
            self._function = seam.ExchangeFunction(request.exchange)
        self._n_total = request.n_total

    def __call__(self, rows: Tensor, backward: bool) -> None:
        """Swap contiguous (n_total, width) rows in place.

        Raises
        ------
        ModelError
            For rows of a wrong shape or kind, and when another rank has given up.
        """
        if rows.dtype not in _KINDS or rows.dim() != 2 or len(rows) != self._n_total:
            raise ModelError(
                f"features to be exchanged must be ({self._n_total}, width) in float32 or float64, "
                f"got {tuple(rows.shape)} in {rows.dtype}"
            )
        host = rows.cpu() if rows.device.type != "cpu" else rows
        direction = seam.BACKWARD if backward else seam.FORWARD
        status = self._function(
            self._key[1], direction, host.shape[1], _KINDS[host.dtype], host.data_ptr()
        )
        if status == 1:
            raise ModelError("another rank ended its evaluation before features were exchanged")
        if status != 0:
            raise ModelError("the engine refused to exchange features")
        if host is not rows:
            rows.copy_(host)
