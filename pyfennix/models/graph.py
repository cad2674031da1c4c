# SPDX-License-Identifier: MIT
"""What a model sees of a system: the topology of a pair list, and one graph per evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pyfennix.exceptions import ModelError
from pyfennix.models.segments import segment_sum


@dataclass(eq=False)
class Topology:
    """Everything that depends on the version of the pair list only, built once per version.

    Made by :meth:`from_csr`. Holds no positions. The list may reach beyond a model's cutoff
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
    composition
        ((Z, count), ...) of the whole system, by increasing Z.
    total_charge
        Of the whole system, in e.
    kind
        (n_total,) int64, index of each atom's element within ``composition``.
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
    composition: tuple[tuple[int, int], ...]
    total_charge: float
    kind: Tensor
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
        _check_csr(numbers, first, neighbor, shift, n_local, n_center, n_total)
        counts = _composition(composition, numbers)
        kind = np.searchsorted(np.array([z for z, _ in counts], dtype=np.int64), numbers)
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
            composition=counts,
            total_charge=float(total_charge),
            kind=put(kind),
        )

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
            known = self.cache["offsets"] = (cell.clone(), cell.T @ self.shift.T.contiguous())
        return known[1]

    def graph(self, positions: Tensor, cell: Tensor | None, cutoff: float, dtype: torch.dtype,
              needs_grad: bool = True) -> Graph:
        """The pairs closer than ``cutoff`` at these positions, ready for a model.

        ``positions`` (n_total, 3) and ``cell`` (3, 3, rows) are float64, in the model's unit of
        length. Vectors are formed in float64, then cast to ``dtype``.
        """
        with torch.no_grad():
            vectors = self.edge_vectors(positions, cell)
            square = vectors * vectors
            inside = square[0].add_(square[1]).add_(square[2]) < cutoff * cutoff
            rows, bounds = kept_rows(inside, self.first)
            vectors = vectors.index_select(1, rows).to(dtype).T.contiguous()
        return Graph(
            topology=self,
            vectors=vectors.requires_grad_(needs_grad),
            receiver=self.receiver.index_select(0, rows),
            neighbor=self.neighbor.index_select(0, rows),
            first=bounds,
        )


def kept_rows(keep: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of the true rows of a (E,) mask, and the CSR bounds of what remains."""
    rows = keep.nonzero().squeeze(1)
    # the first kept row at or after each old bound
    return rows, torch.searchsorted(rows, first)


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
    """

    topology: Topology
    vectors: Tensor
    receiver: Tensor
    neighbor: Tensor
    first: Tensor
    _distances: Tensor | None = None

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
    def composition(self) -> tuple[tuple[int, int], ...]:
        """((Z, count), ...) of the whole system."""
        return self.topology.composition

    @property
    def total_charge(self) -> float:
        """Of the whole system, in e."""
        return self.topology.total_charge

    @property
    def distances(self) -> Tensor:
        """(E,) lengths of the edge vectors; computed once."""
        if self._distances is None:
            self._distances = self.vectors.norm(dim=1)
        return self._distances

    def sum_neighbors(self, rows: Tensor) -> Tensor:
        """Sum (E, ...) edge rows over each receiver's edges -> (n_center, ...)."""
        order = torch.arange(rows.shape[0], device=rows.device)
        return segment_sum(rows, order, self.first, self.receiver)


def _composition(composition, numbers: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Normalise the composition to ((Z, count), ...) and check that it covers the atoms."""
    if composition is None:
        found, count = np.unique(numbers, return_counts=True)
        pairs = zip(found, count, strict=True)
    elif isinstance(composition, Mapping):
        pairs = composition.items()
    else:
        pairs = enumerate(np.asarray(composition))
    counts = tuple(sorted((int(z), int(n)) for z, n in pairs if n > 0))
    missing = set(np.unique(numbers).tolist()) - {z for z, _ in counts}
    if missing:
        raise ModelError(f"the composition of the system lacks atomic numbers {sorted(missing)}")
    return counts


def _check_csr(numbers, first, neighbor, shift, n_local, n_center, n_total) -> None:
    """Refuse arrays whose sizes or indices contradict each other."""
    if not 0 <= n_local <= n_center <= n_total or len(numbers) != n_total:
        raise ModelError(
            f"expected n_local <= n_center <= n_total = len(numbers), got "
            f"{n_local}, {n_center}, {n_total}, {len(numbers)}"
        )
    if len(first) != n_center + 1 or first[0] != 0 or first[-1] != len(neighbor):
        raise ModelError("the bounds of the pair list do not fit its length")
    if len(shift) != len(neighbor):
        raise ModelError("the pair list has a different number of shifts and neighbours")
    if len(neighbor) and (neighbor.min() < 0 or neighbor.max() >= n_total):
        raise ModelError("the pair list names an atom that does not exist")
