# SPDX-License-Identifier: MIT
"""What a model sees of a system: the topology of a pair list, and one graph per evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pyfennix.exceptions import ModelError
from pyfennix.models.csr import check_csr, check_geometry, kept_rows
from pyfennix.models.native.edges import sorted_edges
from pyfennix.models.native.pair_list import PairList, close_pairs, pack
from pyfennix.models.segments import segment_sum
from pyfennix.models.systems import Composition, Systems, composition_of


@dataclass(eq=False)
class Topology:
    """Everything that depends on the version of the pair list only, built once per version.

    Made by :meth:`from_csr`, or by batch.py for several systems evaluated together, whose atoms
    follow each other. Holds no positions. The list may reach beyond a model's cutoff
    (skin): :meth:`graph` keeps the pairs within the cutoff at the present positions.

    Attributes
    ----------
    numbers
        (n_total,) int64 atomic numbers: local atoms first, then ghosts.
    first, receiver, neighbor
        CSR by receiver: the pairs of receiver i are ``first[i]:first[i + 1]``; int64.
    shift
        (E, 3) float64 cell shifts, or None when all are zero.
    n_local, n_center, n_total
        Atoms owned, atoms whose neighbours are listed, and all atoms with ghosts.
    systems
        Composition and charge of each whole system.
    kind
        (n_total,) int64, each atom's kind (see :class:`Systems`): of a single system, the index
        of its element within the composition.
    system
        (n_total,) int64, the system of each atom; None when there is one.
    cache
        Free for models: whatever they derive from the topology alone.
    """

    numbers: Tensor
    first: Tensor
    receiver: Tensor
    neighbor: Tensor
    shift: Tensor | None
    n_local: int
    n_center: int
    n_total: int
    systems: Systems
    kind: Tensor
    system: Tensor | None = None
    cache: dict = field(default_factory=dict)

    @classmethod
    def from_csr(
        cls,
        numbers,
        first,
        neighbor,
        shift,
        n_local: int,
        n_center: int,
        n_total: int,
        composition: Mapping[int, int] | None = None,
        total_charge: float = 0.0,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float64,
    ) -> Topology:
        """Build a topology from the arrays of the force seam.

        Parameters
        ----------
        numbers, first, neighbor, shift
            int32 numpy arrays (n_total,), (n_center + 1,), (E,), (E, 3); zero-based, sorted by
            receiver. They are copied.
        n_local, n_center, n_total
            See the class.
        composition
            {Z: count} of the whole system, or counts indexed by Z; None counts ``numbers``.
        total_charge
            Of the whole system, in e.
        device
            Where the tensors are put.
        dtype
            Kind of the shifts; positions and edge vectors are formed in float64.

        Raises
        ------
        ModelError
            When the arrays contradict each other.
        """
        numbers = np.asarray(numbers)
        first = np.asarray(first)
        neighbor = np.asarray(neighbor)
        shift = np.asarray(shift).reshape(-1, 3)
        check_csr(numbers, first, neighbor, shift, n_local, n_center, n_total)
        systems = Systems(((composition_of(composition, numbers), float(total_charge)),))
        receiver = np.repeat(np.arange(n_center), np.diff(first))

        def put(array) -> Tensor:
            return torch.tensor(array, dtype=torch.int64, device=device)

        return cls(
            numbers=put(numbers),
            first=put(first),
            receiver=put(receiver),
            neighbor=put(neighbor),
            shift=torch.tensor(shift, dtype=dtype, device=device) if shift.any() else None,
            n_local=int(n_local),
            n_center=int(n_center),
            n_total=int(n_total),
            systems=systems,
            kind=put(systems.kinds(0, numbers)),
        )

    @property
    def n_systems(self) -> int:
        """Systems evaluated together."""
        return len(self.systems.group_of)

    @property
    def composition(self) -> Composition:
        """((Z, count), ...) of the whole system, by increasing Z; ModelError if several differ."""
        return self._only_group()[0]

    @property
    def total_charge(self) -> float:
        """Of the whole system, in e; ModelError if several systems differ."""
        return self._only_group()[1]

    def _only_group(self) -> tuple[Composition, float]:
        if len(self.systems.groups) != 1:
            raise ModelError(
                "this batch holds systems of different composition or charge: a model must read "
                "graph.topology.systems there, not graph.composition or graph.total_charge"
            )
        return self.systems.groups[0]

    def edge_vectors(self, positions: Tensor, cell: Tensor | None) -> Tensor:
        """(3, E) float64 vectors from receiver to neighbour, r_j - r_i + shift @ cell.

        One row per component: sums and masks over contiguous rows are several times faster.
        """
        columns = positions.T.contiguous()
        vectors = columns.index_select(1, self.neighbor)
        vectors -= columns.index_select(1, self.receiver)
        if self.shift is not None:
            vectors += self._offsets(cell)
        return vectors

    def _offsets(self, cell: Tensor) -> Tensor:
        """(3, E) shift @ cell, kept while the cell stays the same."""
        known = self.cache.get("offsets")
        if known is None or not torch.equal(known[0], cell):
            if self.system is None:
                offsets = cell.T @ self.shift.T.contiguous()
            else:
                cells = cell.index_select(0, self.system.index_select(0, self.receiver))
                offsets = torch.einsum("es,esx->xe", self.shift, cells).contiguous()
            known = self.cache["offsets"] = (cell.clone(), offsets)
        return known[1]

    def graph(self, positions: Tensor, cell: Tensor | None, cutoff: float, dtype: torch.dtype,
              needs_grad: bool = True, native: bool = False) -> Graph:
        """The pairs closer than ``cutoff`` at these positions, ready for a model.

        ``positions`` (n_total, 3) and ``cell`` (3, 3, rows; or (n_systems, 3, 3) of several
        systems, zeros where not periodic) are float64, in the model's unit of length. Vectors are
        formed in float64, then cast to ``dtype``. A pair whose distance is not a number is kept,
        so that the result shows it. ``native`` says whether compiled kernels do it.
        """
        check_geometry(positions, cell, self.n_total)
        with torch.no_grad():
            if native:
                parts = close_pairs(self._packed(), positions, cell, cutoff, dtype)
                vectors, receiver, neighbor, bounds = parts
            else:
                vectors = self.edge_vectors(positions, cell)
                square = vectors * vectors
                outside = square[0].add_(square[1]).add_(square[2]) >= cutoff * cutoff
                rows, bounds = kept_rows(~outside, self.first)
                vectors = vectors.index_select(1, rows).to(dtype).T.contiguous()
                receiver = self.receiver.index_select(0, rows)
                neighbor = self.neighbor.index_select(0, rows)
        return Graph(self, vectors.requires_grad_(needs_grad), receiver, neighbor, bounds)

    def _packed(self) -> PairList:
        """The list as the kernels read it."""
        if "packed" not in self.cache:
            system = self.system
            if system is not None:
                system = system.index_select(0, self.receiver)
            self.cache["packed"] = pack(self.first, self.neighbor, self.shift, system)
        return self.cache["packed"]


@dataclass(eq=False)
class Graph:
    """One evaluation's input to a model.

    Attributes
    ----------
    vectors
        (E, 3) from receiver i to neighbour j, r_j - r_i + shift @ cell, in the model's dtype; all
        shorter than the model's cutoff. Energies are differentiated with respect to them, so a
        model must compute everything geometric from ``vectors`` (or :attr:`distances`).
    receiver, neighbor
        (E,) int64; sorted by receiver. ``neighbor`` may be a ghost (>= n_center).
    first
        (n_center + 1,) int64, bounds of each receiver's edges.
    cache
        Whatever is derived from this list of edges alone.
    """

    topology: Topology
    vectors: Tensor
    receiver: Tensor
    neighbor: Tensor
    first: Tensor
    _distances: Tensor | None = None
    cache: dict = field(default_factory=dict)

    @property
    def numbers(self) -> Tensor:
        """(n_total,) int64 atomic numbers."""
        return self.topology.numbers

    @property
    def n_local(self) -> int:
        """Atoms whose energies count."""
        return self.topology.n_local

    @property
    def n_center(self) -> int:
        """Atoms with listed neighbours; a model returns this many energies."""
        return self.topology.n_center

    @property
    def n_total(self) -> int:
        """All atoms, ghosts included."""
        return self.topology.n_total

    @property
    def n_systems(self) -> int:
        """Systems evaluated together; their energies are summed apart."""
        return self.topology.n_systems

    @property
    def system(self) -> Tensor:
        """(n_total,) int64, the system of each atom; no pair joins two systems."""
        system = self.topology.system
        return torch.zeros_like(self.numbers) if system is None else system

    @property
    def composition(self) -> Composition:
        """((Z, count), ...) of the whole system; ModelError if several systems differ."""
        return self.topology.composition

    @property
    def total_charge(self) -> float:
        """Of the whole system, in e; ModelError if several systems differ."""
        return self.topology.total_charge

    @property
    def distances(self) -> Tensor:
        """(E,) lengths of the edge vectors; computed once."""
        if self._distances is None:
            self._distances = self.vectors.norm(dim=1)
        return self._distances

    def incoming(self) -> tuple[Tensor, Tensor]:
        """Edges sorted by neighbour, (E,), and the bounds of each atom's, (n_total + 1,)."""
        if "incoming" not in self.cache:
            self.cache["incoming"] = sorted_edges(self.neighbor, self.n_total)
        return self.cache["incoming"]

    def sum_neighbors(self, rows: Tensor) -> Tensor:
        """Sum (E, ...) edge rows over each receiver's edges -> (n_center, ...)."""
        order = torch.arange(rows.shape[0], device=rows.device)
        return segment_sum(rows, order, self.first, self.receiver)
