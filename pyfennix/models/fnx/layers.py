# SPDX-License-Identifier: MIT
"""Small networks with FeNNol's parameter names: Dense, NEURAL_NET, BLOCK_INDEX_NET."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, silu

from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.dense import Permutation, networks

Partition = list[tuple[str, Tensor]]

# entries of one kernel; refused before memory is asked for
_LARGEST = 1 << 26


class Dense(nn.Module):
    """``x @ kernel (+ bias)``, kernel of shape (in, out); LeCun-normal start."""

    def __init__(self, n_in: int, n_out: int, bias: bool = True) -> None:
        super().__init__()
        if n_in * n_out > _LARGEST:
            raise ModelError(f"a layer of {n_in} x {n_out} parameters is beyond reason")
        self.kernel = nn.Parameter(torch.randn(n_in, n_out) / math.sqrt(n_in))
        self.bias = nn.Parameter(torch.zeros(n_out)) if bias else None

    def forward(self, x: Tensor, n_out: int | None = None) -> Tensor:
        """Apply to the last axis; only the first ``n_out`` columns if given."""
        kernel, bias = self.kernel, self.bias
        if n_out is not None:
            kernel, bias = kernel[:, :n_out], None if bias is None else bias[:n_out]
        return x @ kernel if bias is None else torch.addmm(bias, x, kernel)


class NeuralNet(nn.Module):
    """Dense layers ``Layer_1``, ``Layer_2``, … with ``activate`` between, none after the last."""

    def __init__(self, n_in: int, neurons: Sequence[int], bias: bool = True,
                 activate: Callable[[Tensor], Tensor] = silu) -> None:
        super().__init__()
        self.activate = activate
        for i, n_out in enumerate(neurons, start=1):
            self.add_module(f"Layer_{i}", Dense(n_in, n_out, bias))
            n_in = n_out
        self.depth = len(neurons)

    def forward(self, x: Tensor, n_out: int | None = None) -> Tensor:
        """(n, in) -> (n, out); only the first ``n_out`` columns of the last layer if given."""
        for i in range(1, self.depth):
            x = self.activate(getattr(self, f"Layer_{i}")(x))
        return getattr(self, f"Layer_{self.depth}")(x, n_out)

    def layers(self, n_out: int | None = None) -> list[tuple[Tensor, Tensor | None]]:
        """Matrix and bias of each layer, the last ones cut to ``n_out`` columns."""
        parts = [getattr(self, f"Layer_{i}") for i in range(1, self.depth + 1)]
        pairs = [(part.kernel, part.bias) for part in parts]
        kernel, bias = pairs[-1]
        return [*pairs[:-1], (kernel[:, :n_out], None if bias is None else bias[:n_out])]

    def columns(self, x: Tensor) -> Tensor:
        """(in, E) -> (out, E): the same network on columns."""
        for i in range(1, self.depth + 1):
            layer = getattr(self, f"Layer_{i}")
            x = self.activate(x) if i > 1 else x
            x = torch.addmm(layer.bias.unsqueeze(1), layer.kernel.T, x)
        return x


def block_order(partition: Partition, n: int) -> tuple[Tensor, Tensor]:
    """(n,) the rows block by block, and the place of each row in that order."""
    order = torch.cat([rows for _, rows in partition]) if partition else torch.arange(n)
    place = torch.empty_like(order)
    place[order] = torch.arange(n, device=order.device)
    return order, place


class BlockNet(nn.Module):
    """One network per block of elements, evaluated for the blocks present only."""

    def __init__(
        self, blocks: Sequence[str], n_in: int, neurons: Sequence[int], bias: bool = True,
        activate: Callable[[Tensor], Tensor] = silu,
    ) -> None:
        super().__init__()
        self.n_out = neurons[-1]
        for block in blocks:
            self.add_module(block, NeuralNet(n_in, neurons, bias, activate))

    def forward(self, x: Tensor, partition: Partition, n_out: int | None = None,
                native: bool = False) -> Tensor:
        """(n, in) -> (n, out); rows in no block of ``partition`` are zero.

        ``native``: with compiled kernels where there are any for this network.
        """
        if not partition:  # no atoms at all
            return x.new_zeros(len(x), self.n_out if n_out is None else n_out)
        nets = [self._modules[block] for block, _ in partition]
        counts = [len(rows) for _, rows in partition]
        if native and sum(counts) == len(x) and all(net.activate is silu for net in nets):
            order, place = block_order(partition, len(x))
            layers = [net.layers(n_out) for net in nets]
            first = [[net[0][0]] for net in layers]
            rows = Permutation.apply(x, order, place)
            out = networks([rows], first, layers, counts)
            return Permutation.apply(out, place, order)
        parts = [self._modules[b](x.index_select(0, rows), n_out) for b, rows in partition]
        rows = torch.cat([rows for _, rows in partition])
        out = x.new_zeros(x.shape[0], parts[0].shape[1])
        return out.index_copy(0, rows, torch.cat(parts))


def normalize(x: Tensor) -> Tensor:
    """(x - mean) / sqrt(variance + 1e-6) over the last axis, without scale or shift."""
    return layer_norm(x, x.shape[-1:], eps=1e-6)
