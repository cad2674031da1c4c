# SPDX-License-Identifier: MIT
"""A RASTER embedding's weights in the layouts of the compiled kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from pyfennix.models.raster.config import RasterConfig
from pyfennix.models.raster.kernels import Positional, Sizes, padded

# With more kinds of atoms than this the first layer multiplies by values as the later ones do
MAX_KINDS = 8


@dataclass(eq=False)
class PackedLayer:
    """One layer: matrices from features to rows of queries and of keys and values.

    ``order`` (n_in,) are the update network's inputs in the kernels' order, ``scal_heads *
    channels`` sums first, then invariants, own values and what else there is; -1 is padding.
    """

    sizes: Sizes
    weights: Positional
    queries: Tensor
    keys_values: Tensor
    order: Tensor


def layer_sizes(c: RasterConfig, t: int) -> Sizes:
    """The sizes of layer ``t``."""
    return Sizes(int(t > 0), c.lmax + 1, c.tens_heads, c.scal_heads, c.att_dim, c.radial_dim,
                 padded(c.positional_hidden), 0)


def pack_layer(raster: nn.Module, t: int) -> PackedLayer:
    """Arrange the weights of layer ``t`` of a :class:`Raster`."""
    s = layer_sizes(raster.config, t)
    parts = {name.removesuffix(f"_{t}"): part for name, part in raster._modules.items()
             if name.endswith(f"_{t}")}
    heads = _head_order(s)
    queries = _arrange(parts["queries"].kernel / math.sqrt(s.channels), heads, s)
    keys = _arrange(parts["keys"].kernel, heads, s)
    values = parts["values"].kernel.unflatten(1, (s.scal_heads, s.channels)).transpose(1, 2)
    # rows a multiple of 1 KiB apart would compete for the same few places of the cache
    spare = 16 if (s.queries + s.values) % 256 == 0 else 0
    values = pad(values.flatten(1), (0, s.values - s.channels * s.scal_heads + spare))
    own = parts["self_values"].kernel
    mixing = parts.get("extract_mixing")
    first, second = (parts["positional_encoding"].get_submodule(f"Layer_{i}") for i in (1, 2))
    w1 = pad(first.kernel, (0, s.hidden - first.kernel.shape[1]))
    w2 = pad(second.kernel, (0, padded(s.channels) - s.channels, 0, s.hidden - len(second.kernel)))
    weights = Positional(
        w1=w1.contiguous(), b1=pad(first.bias, (0, s.hidden - len(first.bias))).contiguous(),
        w2=w2.contiguous(), b2=pad(second.bias, (0, padded(s.channels) - s.channels)).contiguous(),
        w1_t=pad(w1.T, (0, padded(s.inputs) - s.inputs)).contiguous(),
        w2_t=w2.T.contiguous(),
        mixing=own.new_ones(1, 1) if mixing is None else mixing.weights.contiguous(),
    )
    return PackedLayer(s, weights, torch.cat([queries, own], 1).contiguous(),
                       torch.cat([keys, values], 1).contiguous(), _input_order(s, parts))


def _head_order(s: Sizes) -> list[int]:
    """The checkpoint's head for each of the kernels': [degree][tensor head] instead of reverse."""
    tens = torch.arange(s.n_tens).view(s.tens_heads, s.n_l).T.flatten()
    scalar = torch.arange(s.scal_heads)
    parts = [tens, tens + s.n_tens, scalar + 2 * s.n_tens] if s.later else [
        tens, scalar + s.n_tens]
    return torch.cat(parts).tolist()


def _arrange(kernel: Tensor, heads: list[int], s: Sizes) -> Tensor:
    """(dim, heads * channels) columns [head][channel] -> [channel][head], heads padded."""
    columns = kernel.unflatten(1, (-1, s.channels)).transpose(1, 2)[:, :, heads]
    return pad(columns, (0, s.heads - len(heads))).flatten(1)


def _input_order(s: Sizes, parts: dict) -> Tensor:
    """See :class:`PackedLayer`."""
    n_in = next(iter(parts["update_net"].children())).get_submodule("Layer_1").kernel.shape[0]
    n_scalar = s.scal_heads * s.channels
    scalar = s.channels + torch.arange(n_scalar).view(s.scal_heads, s.channels).T.flatten()
    padding = torch.full((s.values - n_scalar,), -1)
    rest = torch.arange(s.channels + n_scalar, n_in)
    own = torch.arange(s.channels)
    return torch.cat([scalar, padding, rest[: s.n_tens], own, rest[s.n_tens :]])


def ordered_rows(kernel: Tensor, order: Tensor) -> Tensor:
    """Rows of a matrix in a given order, zero where it is negative."""
    rows = kernel.index_select(0, order.clamp(min=0))
    return rows * (order >= 0).unsqueeze(1)
