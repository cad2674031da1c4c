# SPDX-License-Identifier: MIT
"""Edge lists and edge-wise quantities that RASTER shares between its parts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pyfennix.models.csr import kept_rows
from pyfennix.models.fnx.basis import polynomial_switch
from pyfennix.models.graph import Graph
from pyfennix.models.native.edges import short_edges, sorted_edges
from pyfennix.models.segments import gather_columns, spread_columns, sum_columns

# No distance is below its root, so that no gradient is infinite; FeNNol's clip, in Å²
LEAST_SQUARE = 1e-5


@dataclass(eq=False)
class Edges:
    """A sub-list of a graph's pairs: receivers, neighbours, vectors; any order of rows.

    ``order`` and ``first`` group the rows by receiver (see segment_sum). ``pair_rows`` are
    (n_total,) rows and columns whose sum is the number of a pair of kinds (see Systems.pairs),
    and how many pairs there are. Once the list is sorted by it, ``pair_counts[p]`` are of each
    (as a tensor: ``pair_repeats``). ``native`` says whether compiled kernels are to work on the
    list (see Model.native); ``switch_settings`` are cutoff, kind, exponent and fennol_exact.
    """

    vectors: Tensor
    receiver: Tensor
    neighbor: Tensor
    order: Tensor
    first: Tensor
    made_distances: Tensor | None = None
    pair_rows: tuple[Tensor, Tensor, int] | None = None
    made_pair: Tensor | None = None
    pair_counts: list[int] | None = None
    pair_repeats: Tensor | None = None
    switch_settings: tuple[float, str, Tensor | float, bool] = (math.inf, "hard", 1.0, True)
    made_switch: Tensor | None = None
    native: bool = False
    cache: dict = field(default_factory=dict)
    sorted_by_pair: Edges | None = None

    def sum(self, columns: Tensor) -> Tensor:
        """(F, E) -> (n_center, F) sums over each receiver's edges."""
        return sum_columns(columns, self.order, self.first, self.receiver)

    def spread(self, values: Tensor) -> Tensor:
        """(n_center, F) -> (F, E) the receiver's values for each edge."""
        return spread_columns(values, self.order, self.first, self.receiver)

    def gather(self, values: Tensor) -> Tensor:
        """(n_total, F) -> (F, E) the neighbour's values for each edge."""
        return gather_columns(values, self.neighbor)

    def incoming(self, n_total: int) -> tuple[Tensor, Tensor]:
        """Rows sorted by neighbour, (E,), and the bounds of each atom's, (n_total + 1,)."""
        if "incoming" not in self.cache:
            self.cache["incoming"] = sorted_edges(self.neighbor, n_total)
        return self.cache["incoming"]

    @property
    def distances(self) -> Tensor:
        """(E,) lengths of the vectors, computed when first read; see safe_distances."""
        if self.made_distances is None:
            self.made_distances = safe_distances(self.vectors)
        return self.made_distances

    @property
    def switch(self) -> Tensor:
        """(E,) the list's switch, computed when first read."""
        if self.made_switch is None:
            self.made_switch = _switch(self.distances, *self.switch_settings)
        return self.made_switch

    @property
    def pair(self) -> Tensor:
        """(E,) the number of each edge's pair of kinds, computed when first read."""
        if self.made_pair is None:
            row, column, _ = self.pair_rows
            self.made_pair = row.index_select(0, self.receiver)
            self.made_pair += column.index_select(0, self.neighbor)
        return self.made_pair

    def by_pair(self) -> Edges:
        """This list with its rows sorted by pair of kinds."""
        if self.pair_counts is not None:
            return self
        if self.sorted_by_pair is None:
            self.sorted_by_pair = sort_by_pair(self)
        return self.sorted_by_pair

    @property
    def unit(self) -> Tensor:
        """(3, E) directions."""
        return self.vectors.T.contiguous() / self.distances


def safe_distances(vectors: Tensor) -> Tensor:
    """(E,) lengths of (E, 3) vectors, 3.2e-3 Å at least."""
    x, y, z = vectors.T.contiguous().unbind(0)
    return (x * x + y * y + z * z).clamp(min=LEAST_SQUARE).sqrt()


def all_edges(graph: Graph) -> Edges:
    """Every pair of the graph, in the graph's order."""
    return Edges(
        vectors=graph.vectors,
        receiver=graph.receiver,
        neighbor=graph.neighbor,
        order=torch.arange(len(graph.neighbor), device=graph.first.device),
        first=graph.first,
        cache=graph.cache,
    )


def filter_edges(edges: Edges, cutoff: float) -> Edges:
    """The edges closer than ``cutoff``, in the same order; also those that are not a number."""
    if edges.native:
        vectors, receiver, neighbor, first = short_edges(edges.vectors, edges.neighbor,
                                                         edges.first, cutoff, LEAST_SQUARE)
    else:
        far = safe_distances(edges.vectors.detach()) >= cutoff
        rows, first = kept_rows(~far, edges.first)
        vectors, receiver, neighbor = (
            part.index_select(0, rows) for part in (edges.vectors, edges.receiver, edges.neighbor)
        )
    return Edges(
        vectors=vectors,
        receiver=receiver,
        neighbor=neighbor,
        order=torch.arange(len(receiver), device=receiver.device),
        first=first,
        native=edges.native,
    )


def sort_by_pair(edges: Edges) -> Edges:
    """Rows sorted by pair of kinds, so that each pair's matrix product is one slice."""
    pair, n_pairs = edges.pair, edges.pair_rows[2]
    key = pair.to(torch.uint8) if n_pairs <= 256 else pair
    rows = torch.argsort(key, stable=True)
    order = torch.empty_like(rows)
    order[rows] = torch.arange(len(rows), device=rows.device)
    repeats = torch.bincount(pair, minlength=n_pairs)
    return Edges(
        vectors=edges.vectors.index_select(0, rows),
        receiver=edges.receiver.index_select(0, rows),
        neighbor=edges.neighbor.index_select(0, rows),
        order=order,
        first=edges.first,
        pair_rows=edges.pair_rows,
        made_pair=pair.index_select(0, rows),
        pair_counts=repeats.tolist(),
        pair_repeats=repeats,
        switch_settings=edges.switch_settings,
        native=edges.native,
    )


# Kinds of switch and the exponent of each when a file gives none (notes §3.3)
DEFAULT_POWERS = {"cosine": 1.0, "polynomial": 3.0, "hard": 1.0}


def _switch(distances: Tensor, cutoff: float, kind: str, p: Tensor | float,
            fennol_exact: bool) -> Tensor:
    """(E,) 1 at the nucleus and 0 at ``cutoff``, unless the kind is "hard"."""
    ratio = (distances / cutoff).clamp(max=1.0)
    if kind == "polynomial":
        return polynomial_switch(ratio, p, fennol_exact)
    if kind == "cosine":
        wave = 0.5 + 0.5 * torch.cos(math.pi * ratio)
        return wave if isinstance(p, float) and p == 1.0 else wave.pow(p)
    return torch.ones_like(ratio)


def switch_numbers(kind: str, p: Tensor | float, rounded: bool) -> list[float]:
    """What compiled kernels read of a switch: p1, p2, p3, c1, c2, c3 and the cosine's exponent.

    A polynomial is 1 - c1 u^p1 + c2 u^p2 - c3 u^p3; the last number is 0 unless the kind is
    "cosine". ``rounded``: a trained exponent is used in float32, as FeNNol does.
    """
    if kind == "cosine":
        return [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, float(p)]
    if kind == "hard":
        return [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0]
    if isinstance(p, Tensor):
        p = p.detach().cpu()
        p = p.float() if rounded else p.double()
    else:
        p = torch.tensor(p, dtype=torch.float64)
    numbers = p, p + 1, p + 2, 0.5 * (p + 1) * (p + 2), p * (p + 2), 0.5 * p * (p + 1)
    return [*map(float, numbers), 0.0]
