# SPDX-License-Identifier: MIT
"""One network per element, with FeNNol's parameter names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pyfennix.models.fnx.activations import Activation
from pyfennix.models.fnx.layers import Dense


class ElementNet(nn.Module):
    """Dense layers ``Layer_1``, ``Layer_2``, …, an activation between them, none after the last."""

    def __init__(self, n_in: int, neurons: Sequence[int], bias: bool, function: Activation) -> None:
        super().__init__()
        for i, n_out in enumerate(neurons, start=1):
            self.add_module(f"Layer_{i}", Dense(n_in, n_out, bias))
            n_in = n_out
        self.depth, self.function = len(neurons), function

    def forward(self, x: Tensor) -> Tensor:
        """(n, in) -> (n, out)."""
        for i in range(1, self.depth):
            x = self.function(getattr(self, f"Layer_{i}")(x))
        return getattr(self, f"Layer_{self.depth}")(x)


class ElementNets(nn.Module):
    """One network per element, by symbol.

    Parameters
    ----------
    n_in
        Columns of the input.
    neurons
        {symbol: widths of all layers}; the last width is the same for all.
    """

    def __init__(self, n_in: int, neurons: Mapping[str, Sequence[int]], bias: bool,
                 function: Activation) -> None:
        super().__init__()
        for symbol, widths in neurons.items():
            self.add_module(symbol, ElementNet(n_in, widths, bias, function))
        self.n_out = next(iter(neurons.values()))[-1]

    def forward(self, parts: Mapping[str, Tensor]) -> Tensor:
        """{symbol: (m, in)} -> (n, out), the rows of one element after those of the other."""
        return torch.cat([self._modules[symbol](x) for symbol, x in parts.items()])
