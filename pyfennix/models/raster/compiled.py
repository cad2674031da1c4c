# SPDX-License-Identifier: MIT
"""The RASTER embedding with its work per edge done by compiled kernels.

The same steps as :meth:`Raster.forward`, in other layouts: tensors are (atoms, M, heads), inputs
of the update networks lie block by block. Inference only: weights are rearranged once.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from pyfennix.models.fnx.dense import networks, residual_norm
from pyfennix.models.fnx.edges import Edges, switch_numbers
from pyfennix.models.fnx.layers import Partition, block_order
from pyfennix.models.raster.config import RasterConfig
from pyfennix.models.raster.kernels import List, attention, edge_records
from pyfennix.models.raster.packing import MAX_KINDS, PackedLayer, ordered_rows, pack_layer

SWISH = ("swish", "silu")


def compilable(c: RasterConfig) -> bool:
    """Whether the kernels know this kind of embedding; any sizes will do."""
    activations = {c.activation, c.att_activation, c.positional_activation}
    return activations <= set(SWISH) and c.lmax <= 3


def embed(raster: nn.Module, static: dict, kind: Tensor, edges: Edges, lode_edges: Edges | None,
          partition: Partition, n_center: int, final_tensor: bool) -> tuple[Tensor, Tensor]:
    """See :meth:`Raster.forward`; ``edges`` are in the order of their receivers."""
    c = raster.config
    if "layers" not in static:
        with torch.no_grad():
            static["layers"] = [pack_layer(raster, t) for t in range(c.nlayers)]
            static["first"] = _first_layer(raster, static)
    layers: list[PackedLayer] = static["layers"]
    order, place = block_order(partition, n_center)
    short = List(edges.first, edges.receiver, edges.neighbor, kind)
    settings = switch_settings(edges, c)
    records = edge_records(edges.vectors, short, static["radii"], settings, c.radial_dim,
                            c.lmax + 1)
    x, tensor = static["x"].index_select(0, kind), None
    for t, layer in enumerate(layers):
        last = t == c.nlayers - 1
        if t == 0:
            sizes, q, kv, n_sums = static["first"]
        else:
            x, tensor = raster.fill_ghosts(x, tensor, static, kind)
            sizes, n_sums = layer.sizes, layer.sizes.values
            # of ghosts, which come in the order of their distance, only near ones are neighbours
            n_near = n_center if len(x) == n_center else _n_near(edges, n_center)
            q, kv = x[:n_center] @ layer.queries, x[:n_near] @ layer.keys_values
            short.incoming, short.in_first = edges.incoming(len(kind))
        parts = attention(records, q, kv, tensor, short, place, sizes, layer.weights, n_sums)
        parts, tensor = [parts[0]], parts[1]
        if last and raster.lode is not None:
            values = raster._modules[f"lode_values_{t}"]
            far = raster.lode(lode_edges, values, raster.a_lr, x, tensor.transpose(1, 2))
            parts.append(far.index_select(0, order))
        n_out = c.dim if last and not final_tensor else None
        update = _update(raster, static, t, parts, partition, n_out)
        x = residual_norm(x[:n_center], update, place)
        if n_out is None:
            tensor = _update_tensor(raster, t, tensor, update[:, c.dim :].index_select(0, place))
    return x, tensor.transpose(1, 2)


def _n_near(edges: Edges, n_center: int) -> int:
    """Atoms up to the last that is a neighbour, at least the centers."""
    last = int(edges.neighbor.max()) if len(edges.neighbor) else -1
    return max(n_center, last + 1)


def switch_settings(edges: Edges, c: RasterConfig) -> Tensor:
    """What the kernel of the records reads; see raster_geometry.c."""
    _, kind, p, exact = edges.switch_settings
    numbers = switch_numbers(kind, p, exact)
    return torch.tensor([c.cutoff, c.switch_cov_start, c.switch_cov_end, *numbers],
                        dtype=torch.float64)


def _first_layer(raster: nn.Module, static: dict):
    """Sizes, rows of queries and of keys per kind, and the number of sums of the first layer."""
    layer, x = static["layers"][0], static["x"]
    by_kind = len(x) <= MAX_KINDS
    q, kv = x @ layer.queries, x @ layer.keys_values
    if not by_kind:
        return layer.sizes, q, kv, layer.sizes.values
    # what a kind passes on is then its number, not its own values
    q = torch.cat([q[:, : layer.sizes.queries], torch.eye(len(x)).to(x)], 1)
    sizes = replace(layer.sizes, by_kind=1)
    return sizes, q, kv, len(x) * sizes.scal_heads


def _first_weights(raster: nn.Module, static: dict, t: int, kernel: Tensor) -> Tensor:
    """The first matrix of an update network, its rows in the order of the kernels' results."""
    layer = static["layers"][t]
    s, x = layer.sizes, static["x"]
    if t > 0 or not static["first"][0].by_kind:
        return ordered_rows(kernel, layer.order.to(kernel.device))
    # sums per kind and head: the values of the kind are multiplied into the matrix
    n_scalar = s.channels * s.scal_heads
    own, scalar, rest = kernel.split([s.channels, n_scalar,
                                      len(kernel) - s.channels - n_scalar])
    values = raster._modules["values_0"](x).view(len(x), s.scal_heads, s.channels)
    scalar = torch.einsum("uhc,hco->uho", values, scalar.view(s.scal_heads, s.channels, -1))
    own = raster._modules["self_values_0"](x) @ own
    return torch.cat([scalar.flatten(0, 1), rest[: s.n_tens], own, rest[s.n_tens :]])


def _update(raster: nn.Module, static: dict, t: int, parts: list[Tensor], partition: Partition,
            n_out: int | None) -> Tensor:
    """The update networks on rows that lie block by block."""
    key = ("update", t, n_out, tuple(block for block, _ in partition))
    if key not in static:
        with torch.no_grad():
            widths = [part.shape[1] for part in parts]
            nets = [raster._modules[f"update_net_{t}"]._modules[block] for block, _ in partition]
            first = [_first_weights(raster, static, t, net.Layer_1.kernel) for net in nets]
            layers = [net.layers(n_out) for net in nets]
            if nets and nets[0].depth == 1:
                first = [matrix[:, :n_out] for matrix in first]
            static[key] = [matrix.split(widths) for matrix in first], layers
    if not partition:  # no atoms at all
        return parts[0].new_zeros(0, raster._modules[f"update_net_{t}"].n_out)
    return networks(parts, *static[key], [len(rows) for _, rows in partition])


def _update_tensor(raster: nn.Module, t: int, tensor: Tensor, update: Tensor) -> Tensor:
    """Step 12: scale by 1 + update per head and l, then mix the heads."""
    c = raster.config
    scale = raster.spread_l.T @ (1.0 + update.reshape(-1, c.tens_heads, c.lmax + 1)).transpose(1, 2)
    tensor = tensor * scale
    if c.tens_heads > 1:
        tensor = tensor @ raster._modules[f"update_mixing_{t}"].weights.T
    return tensor
