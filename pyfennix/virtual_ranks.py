# SPDX-License-Identifier: MIT
"""What ranks would see of a system, found by one process with the engine's own decomposition."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pyfennix.engine import fortran_virtual as fortran
from pyfennix.exceptions import InputError
from pyfennix.models.evaluate import Result, evaluate_topology
from pyfennix.models.exchange import SwapExchange
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model


@dataclass(frozen=True)
class View:
    """What one rank sees, in the sizes and arrays of the force seam.

    Attributes
    ----------
    n_local, n_center, n_total, n_edges, n_peers
        Own atoms, atoms whose neighbours are listed, atoms with ghosts, pairs listed, and ranks
        that atoms are exchanged with.
    numbers, positions
        (n_total,) and (n_total, 3) in Å; own atoms first, then ghosts by distance.
    first, neighbor, shift
        The pair list, (n_center + 1,), (n_edges,) and (n_edges, 3).
    """

    n_local: int
    n_center: int
    n_total: int
    n_edges: int
    n_peers: int
    numbers: np.ndarray
    positions: np.ndarray
    first: np.ndarray
    neighbor: np.ndarray
    shift: np.ndarray


class VirtualRanks:
    """A system cut into bricks as the engine cuts it, without any rank but this process.

    Parameters
    ----------
    numbers, positions, cell
        (n,), (n, 3) in Å and (3, 3) in Å (rows) or None.
    n_ranks
        How many.
    bricks
        Along each lattice vector; None lets the engine choose, for a halo of ``halo`` Å.

    Attributes
    ----------
    bricks
        Along each lattice vector.
    owned
        (n_ranks,) atoms of each rank.

    Raises
    ------
    InputError
        When the bricks do not fit the ranks or the cell has no volume.
    """

    def __init__(self, numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray | None,
                 n_ranks: int, bricks: Sequence[int] | None = None, halo: float = 8.0):
        self.numbers = np.asarray(numbers, np.int32)
        positions = np.ascontiguousarray(positions, np.float64)
        self.cell = None if cell is None else np.asarray(cell, np.float64)
        if bricks is None:
            if self.cell is None:
                widths = np.maximum(np.ptp(positions, axis=0), 1.0)
            else:
                widths = 1.0 / np.linalg.norm(np.linalg.inv(self.cell), axis=0)
            chosen = np.zeros(3, np.int32)
            fortran.choose_bricks(n_ranks, widths, halo, chosen)
            bricks = chosen.tolist()
        self.bricks = tuple(int(n) for n in bricks)
        self.owned = np.zeros(n_ranks, np.int32)
        rows = np.zeros((3, 3)) if cell is None else np.ascontiguousarray(self.cell)
        handle, status = fortran.split_system(
            len(self.numbers), self.numbers, positions.T, rows.T, int(cell is not None),
            np.array(self.bricks, np.int32), n_ranks, self.owned)
        if status != 0:
            raise InputError(f"{len(self.numbers)} atoms cannot be cut into {self.bricks} bricks "
                             f"for {n_ranks} ranks: check their product and the cell")
        self._handle = handle
        weakref.finalize(self, fortran.forget_split, handle)

    def see(self, rank: int, width: float, cutoff: float = 0.0, center_width: float = -1.0) -> View:
        """What a rank sees.

        Parameters
        ----------
        rank
            Zero-based.
        width, center_width
            How far from its brick ghosts are needed, and how far their neighbours are listed
            (negative: not at all), Å.
        cutoff
            Of the pair list, Å; 0 finds no pairs.
        """
        if not 0 <= rank < len(self.owned):
            raise InputError(f"there are ranks 0 to {len(self.owned) - 1}, not {rank}")
        sizes = np.zeros(5, np.int64)
        fortran.see_rank(self._handle, rank, width, center_width, cutoff, sizes)
        n_local, n_center, n_total, n_edges, n_peers = sizes.tolist()
        numbers, first = np.zeros(n_total, np.int32), np.zeros(n_center + 1, np.int32)
        neighbor, shift = np.zeros(n_edges, np.int32), np.zeros((n_edges, 3), np.int32)
        positions = np.zeros((n_total, 3))
        fortran.view_arrays(self._handle, n_center, n_total, n_edges, numbers, positions.T,
                                  first, neighbor, shift.T)
        return View(n_local, n_center, n_total, n_edges, n_peers, numbers, positions, first,
                    neighbor, shift)

    def topology(self, view: View) -> Topology:
        """The view as models take it, with the composition of the whole system."""
        composition = np.bincount(self.numbers, minlength=119)
        return Topology.from_csr(view.numbers, view.first, view.neighbor, view.shift, view.n_local,
                                 view.n_center, view.n_total, composition)


def evaluate_view(model: Model, ranks: VirtualRanks, view: View, topology: Topology,
                  exchanging: bool) -> Result:
    """Evaluate a view as a rank would, in the model's units; its forces are not yet summed.

    While features are exchanged nobody is there to send any: those of ghosts are zero, so that
    only the time means something then.
    """
    def blank(rows: torch.Tensor, _backward: bool) -> None:
        rows[view.n_local :] = 0.0

    own = model.exchange
    model.exchange = SwapExchange(blank) if exchanging else own
    try:
        cell = None if ranks.cell is None else torch.from_numpy(ranks.cell)
        return evaluate_topology(model, topology, torch.from_numpy(view.positions), cell,
                                 want_virial=False)
    finally:
        model.exchange = own
