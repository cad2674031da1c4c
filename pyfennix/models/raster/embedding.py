# SPDX-License-Identifier: MIT
"""RASTER: equivariant message passing with products of species and distance as attention.

Follows notes §5 step by step; names of parameters are FeNNol's. All geometry-free work of the
first layer is done on one row per element (:meth:`Raster.static`), so that per evaluation the
first layer costs no feature gathers at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pyfennix.models.exchange import Exchange
from pyfennix.models.fnx.activations import activation
from pyfennix.models.fnx.basis import l_of_component
from pyfennix.models.fnx.edges import Edges
from pyfennix.models.fnx.layers import BlockNet, Dense, NeuralNet, Partition, normalize
from pyfennix.models.raster.attention import attention_logits
from pyfennix.models.raster.config import RasterConfig
from pyfennix.models.raster.geometry import (
    Geometry,
    degree_widths,
    edge_geometry,
    weighted_harmonics,
)
from pyfennix.models.raster.lode import Lode
from pyfennix.models.segments import gather_columns

# Beyond this, one small matrix product per pair of kinds costs more than it saves
_MANY_PAIRS = 200


class Mixing(nn.Module):
    """A matrix over tensor heads, the same for all components."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.eye(heads) + torch.randn(heads, heads) / heads)

    def forward(self, tensor: Tensor) -> Tensor:
        """(n, heads, M) -> (n, heads, M)."""
        return self.weights @ tensor


class Raster(nn.Module):
    """The embedding network; see the module's docstring and :class:`RasterConfig`.

    Parameters
    ----------
    config
        Sizes.
    n_species
        Width of the species embedding.
    blocks
        Names of the element blocks that get update networks.
    """

    def __init__(self, config: RasterConfig, n_species: int, blocks: Sequence[str]) -> None:
        super().__init__()
        c = self.config = config
        self.exchange = Exchange()
        self.attend = activation(c.att_activation)
        self.n_l = c.lmax + 1
        self.widths = degree_widths(c.lmax)
        self.add_module("species_linear", Dense(n_species, c.dim, bias=False))
        self.lode = None
        if c.lode_channels:
            self.lode = Lode(c.lode_channels, c.lmax_lode, list(c.lode_extra_powers),
                             c.lode_cutoff, c.lode_rshort, c.lode_dshort)
            self.a_lr = nn.Parameter(torch.ones(1, self.lode.n_values))
        for t in range(c.nlayers):
            self._add_layer(t, blocks)
        degree = torch.tensor(l_of_component(c.lmax))
        spread = (degree == torch.arange(self.n_l).unsqueeze(1)).float()
        # (L, M) copies a per-l value to the components of l, of which there are (L,); both kept
        # as whole numbers, since a third would stay rounded to float32 in a float64 model
        self.register_buffer("spread_l", spread, persistent=False)
        self.register_buffer("count_l", spread.sum(1), persistent=False)

    def _add_layer(self, t: int, blocks: Sequence[str]) -> None:
        c = self.config
        last = t == c.nlayers - 1
        n_tens = self.n_l * c.tens_heads * (1 if t == 0 else 2)
        n_scalars = c.radial_dim + (0 if t == 0 else self.n_l * c.tens_heads)
        width = c.att_dim * (c.scal_heads + n_tens)
        self.add_module(f"queries_{t}", Dense(c.dim, width, bias=False))
        self.add_module(f"keys_{t}", Dense(c.dim, width, bias=False))
        self.add_module(f"values_{t}", Dense(c.dim, c.scal_heads * c.att_dim, bias=False))
        self.add_module(f"self_values_{t}", Dense(c.dim, c.att_dim, bias=False))
        self.add_module(f"positional_encoding_{t}",
                        NeuralNet(n_scalars, (c.positional_hidden, c.att_dim),
                                  activate=activation(c.positional_activation)))
        n_in = c.att_dim * (c.scal_heads + 1) + self.n_l * c.tens_heads
        if last and self.lode is not None:
            n_in += self.lode.n_out
            width = c.lode_channels * self.lode.n_values
            self.add_module(f"lode_values_{t}", Dense(c.dim, width, bias=False))
        n_out = c.dim + self.n_l * c.tens_heads
        self.add_module(f"update_net_{t}", BlockNet(blocks, n_in, (*c.update_hidden, n_out),
                                                    activate=activation(c.activation)))
        if c.tens_heads > 1:
            self.add_module(f"extract_mixing_{t}", Mixing(c.tens_heads))
            self.add_module(f"update_mixing_{t}", Mixing(c.tens_heads))

    def _part(self, name: str, t: int) -> nn.Module:
        return self._modules[f"{name}_{t}"]

    def static(self, species: Tensor, radii: Tensor,
               pairs: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Whatever depends on the kinds of atoms only, one row per kind or pair of kinds.

        ``species`` (U, n_species) embeddings, ``radii`` (U,) covalent radii in Å, ``pairs`` the
        first and second kinds (P,) of the pairs. Returns ``x`` (U, dim), ``qk`` (P, heads,
        att_dim), ``values``, ``own``, ``radius_sum`` (P,) and, when any two kinds may meet,
        ``neighbor_mask`` (U, P).
        """
        c, (first, second) = self.config, pairs
        x = normalize(self._modules["species_linear"](species))
        u = len(x)
        q = self._part("queries", 0)(x).unflatten(1, (-1, c.att_dim)).index_select(0, first)
        k = self._part("keys", 0)(x).unflatten(1, (-1, c.att_dim)).index_select(0, second)
        static = {
            "x": x,
            "radii": radii,
            "qk": q * k / math.sqrt(c.att_dim),
            "values": self._part("values", 0)(x).view(u, c.scal_heads, c.att_dim),
            "own": self._part("self_values", 0)(x),
            "radius_sum": radii.index_select(0, first) + radii.index_select(0, second),
        }
        if len(first) == u * u:
            # whether the neighbour of a pair is of this kind
            static["neighbor_mask"] = torch.eye(u).to(x).index_select(1, second)
        return static

    def forward(
        self,
        static: dict[str, Tensor],
        kind: Tensor,
        edges: Edges,
        lode_edges: Edges | None,
        partition: Partition,
        n_center: int,
        final_tensor: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Embed the centers.

        Parameters
        ----------
        static
            From :meth:`static`.
        kind
            (n_total,) row of each atom in ``static``.
        edges, lode_edges
            Short and long edge list.
        partition
            Rows of the centers in each block.
        n_center
            Number of receivers.
        final_tensor
            Whether to update the tensor in the last layer too, which influences no energy.

        Returns
        -------
        (n_center, dim) embedding and (n_center, tens_heads, M) tensor.
        """
        c = self.config
        geometry = edge_geometry(edges.by_pair(), static["radius_sum"], c)
        x = static["x"].index_select(0, kind)
        tensor = None
        for t in range(c.nlayers):
            if t > 0:
                x, tensor = self.fill_ghosts(x, tensor, static, kind)
            if t == 0:
                parts, tensor = self._first_layer(static, kind, geometry, n_center)
            else:
                parts, tensor = self._layer(t, x, tensor, geometry, n_center)
            parts.append(self._invariants(t, tensor))
            last = t == c.nlayers - 1
            if last and self.lode is not None:
                values = self._part("lode_values", t)
                parts.append(self.lode(lode_edges, values, self.a_lr, x, tensor))
            skip = last and not final_tensor
            n_out = c.dim if skip else None
            update = self._part("update_net", t)(torch.cat(parts, dim=1), partition, n_out)
            x = normalize(x[:n_center] + update[:, : c.dim])
            if not skip:
                tensor = self._update_tensor(t, tensor, update[:, c.dim :])
        return x, tensor

    def _first_layer(self, static, kind, geometry: Geometry, n_center: int):
        """Steps 2-8 of layer 0, where queries, keys and values have one row per element."""
        c, edges = self.config, geometry.edges
        w = self._part("positional_encoding", 0).columns(geometry.radial)
        a = self.attend(self._first_logits(static["qk"], w, edges)) * geometry.attention_switch
        n_kinds = len(static["x"])
        heads, scalars = a.split([self.n_l * c.tens_heads, c.scal_heads])
        if "neighbor_mask" in static:
            # scalar heads are summed per neighbouring kind: within one, values are constant
            masks = static["neighbor_mask"].repeat_interleave(edges.pair_repeats, dim=1)
            scalars = (masks.unsqueeze(1) * scalars).flatten(0, 1)
        else:  # systems of many compositions: more kinds than any atom has neighbours
            values = gather_columns(static["values"].flatten(1),
                                    kind.index_select(0, edges.neighbor))
            values = values.view(c.scal_heads, c.att_dim, -1)
            scalars = (values * scalars.unsqueeze(1)).flatten(0, 1)
        heads = heads.view(c.tens_heads, self.n_l, -1)
        tensor = weighted_harmonics(heads, geometry.harmonics).flatten(0, 1)
        sums = edges.sum(torch.cat([tensor, scalars]))
        tensor, scalar = sums.split([len(tensor), len(scalars)], dim=1)
        if "neighbor_mask" in static:
            per_kind = scalar.reshape(n_center, n_kinds, c.scal_heads)
            scalar = torch.einsum("nuh,uhc->nhc", per_kind, static["values"]).flatten(1)
        own = static["own"].index_select(0, kind[:n_center])
        return [own, scalar], tensor.unflatten(1, (c.tens_heads, -1))

    def _first_logits(self, qk: Tensor, w: Tensor, edges: Edges) -> Tensor:
        """(heads, E) logits of layer 0 from (P, heads, att_dim) products and (att_dim, E)."""
        if 0 < len(qk) <= _MANY_PAIRS:
            blocks = w.split(edges.pair_counts, dim=1)
            return torch.cat([p @ b for p, b in zip(qk, blocks, strict=True)], dim=1)
        one = torch.ones_like(qk[:1])
        raw = attention_logits(qk, one, w.T.contiguous(), edges.pair, torch.zeros_like(edges.pair))
        return raw.T.contiguous()

    def _layer(self, t: int, x: Tensor, tensor: Tensor, geometry: Geometry, n_center: int):
        """Steps 1-8 of a later layer; ``x`` and ``tensor`` have a row for every atom."""
        c, edges, y = self.config, geometry.edges, geometry.harmonics
        n_tens, center = self.n_l * c.tens_heads, x[:n_center]
        values = self._part("values", t)(x)
        n_flat = tensor.shape[1] * tensor.shape[2]
        gathered = edges.gather(torch.cat([tensor.flatten(1), values], dim=1))
        v_j, values = gathered.split([n_flat, values.shape[1]])
        v_j = v_j.view(c.tens_heads, len(y), -1)
        v_i = edges.spread(tensor[:n_center].flatten(1)).view_as(v_j)
        scalars = [geometry.radial]
        degrees = (part.split(self.widths, dim=-2) for part in (v_j, v_i, y))
        for degree, (near, own, part) in enumerate(zip(*degrees, strict=True)):
            scalars.append(((near - own if degree % 2 else near + own) * part).sum(1))
        w = self._part("positional_encoding", t).columns(torch.cat(scalars))
        w = w.T.contiguous() / math.sqrt(c.att_dim)
        q = self._part("queries", t)(center).unflatten(1, (-1, c.att_dim))
        k = self._part("keys", t)(x).unflatten(1, (-1, c.att_dim))
        raw = attention_logits(q, k, w, edges.receiver, edges.neighbor)
        a = self.attend(raw.T.contiguous()) * geometry.attention_switch
        first, second, scalar = a.split([n_tens, n_tens, c.scal_heads])
        first, second = (h.view(c.tens_heads, self.n_l, -1) for h in (first, second))
        added = weighted_harmonics(first, y) + weighted_harmonics(second, v_j)
        weighted = values.view(c.scal_heads, c.att_dim, -1) * scalar.unsqueeze(1)
        sums = edges.sum(torch.cat([added.flatten(0, 1), weighted.flatten(0, 1)]))
        added, scalar = sums.split([n_flat, sums.shape[1] - n_flat], dim=1)
        own = self._part("self_values", t)(center)
        return [own, scalar], tensor[:n_center] + added.unflatten(1, (c.tens_heads, -1))

    def _invariants(self, t: int, tensor: Tensor) -> Tensor:
        """Step 9: (n, L * heads) per-l products of the tensor with its mixed self, l-major."""
        mixed = tensor
        if self.config.tens_heads > 1:
            mixed = self._part("extract_mixing", t)(tensor)
        product = (tensor * mixed).flatten(0, 1) @ self.spread_l.T / self.count_l
        return product.view(len(tensor), tensor.shape[1], self.n_l).transpose(1, 2).flatten(1)

    def _update_tensor(self, t: int, tensor: Tensor, update: Tensor) -> Tensor:
        """Step 12: scale by 1 + update per head and l, then mix the heads."""
        scale = update.reshape(-1, self.n_l) @ self.spread_l
        tensor = tensor * (1.0 + scale.view_as(tensor))
        return self._part("update_mixing", t)(tensor) if self.config.tens_heads > 1 else tensor

    def fill_ghosts(self, x: Tensor, tensor: Tensor, static, kind: Tensor):
        """Rows for atoms without listed neighbours, and the exchange between two layers."""
        n_center, n_total = len(x), len(kind)
        if n_total > n_center and not getattr(self.exchange, "completes", False):
            # outermost ghosts: nothing within reach of a local energy reads these rows,
            # unless the exchange overwrites them
            x = torch.cat([x, static["x"].index_select(0, kind[n_center:])])
            pad = tensor.new_zeros(n_total - n_center, *tensor.shape[1:])
            tensor = torch.cat([tensor, pad])
        if getattr(self.exchange, "is_identity", False):
            return x, tensor
        packed = self.exchange(torch.cat([x, tensor.flatten(1)], dim=1))
        # parts of rows: of the tensor the kernels read whole ones
        parts = packed.split([x.shape[1], packed.shape[1] - x.shape[1]], dim=1)
        return parts[0], parts[1].reshape(len(packed), *tensor.shape[1:]).contiguous()
