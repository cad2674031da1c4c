# SPDX-License-Identifier: MIT
"""Edge lists and edge-wise quantities that RASTER shares between its parts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pyfennix.models.fnx.basis import polynomial_switch
from pyfennix.models.graph import Graph, kept_rows
from pyfennix.models.segments import gather_columns, spread_columns, sum_columns


@dataclass(eq=False)
class Edges:
    """A sub-list of a graph's pairs: receivers, neighbours, vectors; any order of rows.

    ``order`` and ``first`` group the rows by receiver (see segment_sum). ``pair`` is
    ``kind_i * n_kinds + kind_j``; once it is set the rows are sorted by it, ``pair_counts[p]`` of
    each (as a tensor: ``pair_repeats``).
    """

    vectors: Tensor
    distances: Tensor
    receiver: Tensor
    neighbor: Tensor
    order: Tensor
    first: Tensor
    pair: Tensor | None = None
    pair_counts: list[int] | None = None
    pair_repeats: Tensor | None = None
    switch: Tensor | None = None

    def sum(self, columns: Tensor) -> Tensor:
        """(F, E) -> (n_center, F) sums over each receiver's edges."""
        return sum_columns(columns, self.order, self.first, self.receiver)

    def spread(self, values: Tensor) -> Tensor:
        """(n_center, F) -> (F, E) the receiver's values for each edge."""
        return spread_columns(values, self.order, self.first, self.receiver)

    def gather(self, values: Tensor) -> Tensor:
        """(n_total, F) -> (F, E) the neighbour's values for each edge."""
        return gather_columns(values, self.neighbor)

    @property
    def unit(self) -> Tensor:
        """(3, E) directions."""
        return self.vectors.T.contiguous() / self.distances


def safe_distances(vectors: Tensor) -> Tensor:
    """|vector|, never below 3.2e-3 Å (FeNNol's clip), so that no gradient is infinite."""
    x, y, z = vectors.T.contiguous().unbind(0)
    return (x * x + y * y + z * z).clamp(min=1e-5).sqrt()


def all_edges(graph: Graph) -> Edges:
    """Every pair of the graph, in the graph's order."""
    return Edges(
        vectors=graph.vectors,
        distances=safe_distances(graph.vectors),
        receiver=graph.receiver,
        neighbor=graph.neighbor,
        order=torch.arange(len(graph.neighbor), device=graph.first.device),
        first=graph.first,
    )


def filter_edges(edges: Edges, cutoff: float) -> Edges:
    """The edges closer than ``cutoff``, in the same order."""
    rows, bounds = kept_rows(edges.distances.detach() < cutoff, edges.first)
    return Edges(
        vectors=edges.vectors.index_select(0, rows),
        distances=edges.distances.index_select(0, rows),
        receiver=edges.receiver.index_select(0, rows),
        neighbor=edges.neighbor.index_select(0, rows),
        order=torch.arange(len(rows), device=rows.device),
        first=bounds,
    )


def sort_by_pair(edges: Edges, kind: Tensor, n_kinds: int) -> Edges:
    """Rows sorted by pair of elements, so that each pair's matrix product is one slice.

    ``kind`` (n_total,) is each atom's element as an index below ``n_kinds``.
    """
    pair = kind.index_select(0, edges.receiver) * n_kinds
    pair += kind.index_select(0, edges.neighbor)
    key = pair.to(torch.uint8) if n_kinds <= 16 else pair
    rows = torch.argsort(key, stable=True)
    order = torch.empty_like(rows)
    order[rows] = torch.arange(len(rows), device=rows.device)
    repeats = torch.bincount(pair, minlength=n_kinds**2)
    return Edges(
        vectors=edges.vectors.index_select(0, rows),
        distances=edges.distances.index_select(0, rows),
        receiver=edges.receiver.index_select(0, rows),
        neighbor=edges.neighbor.index_select(0, rows),
        order=order,
        first=edges.first,
        pair=pair.index_select(0, rows),
        pair_counts=repeats.tolist(),
        pair_repeats=repeats,
    )


def add_switch(edges: Edges, cutoff: float, p: Tensor | float, fennol_exact: bool) -> Edges:
    """Set the polynomial switch of the edge list, 1 at the nucleus and 0 at ``cutoff``."""
    ratio = (edges.distances / cutoff).clamp(max=1.0)
    edges.switch = polynomial_switch(ratio, p, fennol_exact)
    return edges
