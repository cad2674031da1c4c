# SPDX-License-Identifier: MIT
"""Systems for the validator: a random one, and half of one with explicit ghosts."""

from __future__ import annotations

import itertools

import numpy as np

from pyfennix import units
from pyfennix.models.graph import Topology
from pyfennix.models.interface import Model
from pyfennix.models.pairs import build_pairs

_N_ATOMS = 24
_CLOSEST = 1.1  # Å; inside the repulsive wall of most models, outside its singular part


def random_system(model: Model, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random atoms of the model's elements in a skewed periodic cell, Å.

    Returns numbers (n,), positions (n, 3) and cell (3, 3).
    """
    cutoff = model.cutoff * units.length_in_angstrom(model.length_unit)
    return random_positions(model.elements, max(7.0, 1.2 * cutoff), seed)


def random_positions(
    known: tuple[int, ...] | None, edge: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same for these elements (None: all) in a cell of about this edge, Å."""
    random = np.random.default_rng(seed)
    elements = [6, 1, 8] if known is None else list(known)[:4]
    cell = np.array([[1.0, 0, 0], [0.2, 1.1, 0], [-0.1, 0.15, 0.95]]) * edge
    chosen: list[np.ndarray] = []
    while len(chosen) < _N_ATOMS:
        trial = random.random(3)
        between = np.array(chosen).reshape(-1, 3) - trial
        distance = np.linalg.norm((between - np.round(between)) @ cell, axis=1)
        if (distance > _CLOSEST).all():
            chosen.append(trial)
    numbers = np.array([elements[i % len(elements)] for i in range(_N_ATOMS)])
    return numbers, np.array(chosen) @ cell, cell


def half_of_system(
    model: Model, numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray, upper: bool,
    charge: float,
) -> tuple[Topology, np.ndarray, np.ndarray]:
    """One of two domains of a periodic system, its surroundings as explicit ghosts.

    Locals first, then the ghosts that are centers (within ``model.center_halo`` of a local
    atom), then the others within ``model.halo``; no shifts.

    Returns
    -------
    topology, positions (n_total, 3), owner (n_total,) index of the atom each row is an image of.
    """
    fractional = positions @ np.linalg.inv(cell)
    wrapped = fractional - np.floor(fractional)
    local = np.flatnonzero((wrapped[:, 0] >= 0.5) == upper)
    home = wrapped @ cell
    reach = np.ceil(model.halo * np.linalg.norm(np.linalg.inv(cell), axis=0)).astype(int)
    place, owner, nearest = [home[local]], [local], []
    for shift in itertools.product(*(range(-r, r + 1) for r in reach)):
        image = home + np.array(shift) @ cell
        distance = np.linalg.norm(image[:, None] - home[local], axis=2).min(
            axis=1, initial=np.inf
        )
        near = distance < model.halo
        if not any(shift):
            near[local] = False
        place.append(image[near])
        owner.append(np.flatnonzero(near))
        nearest.append(distance[near])
    owner, place = np.concatenate(owner), np.concatenate(place)
    outside = np.concatenate(nearest) >= model.center_halo
    n_local = len(local)
    order = np.concatenate([np.arange(n_local), n_local + np.argsort(outside, kind="stable")])
    owner, place = owner[order], place[order]
    n_center = n_local + int((~outside).sum())
    first, neighbor, shift = build_pairs(place, None, model.cutoff)
    edges = first[n_center]
    found, count = np.unique(numbers, return_counts=True)
    topology = Topology.from_csr(
        numbers[owner], first[: n_center + 1], neighbor[:edges], shift[:edges], n_local, n_center,
        len(owner), dict(zip(found.tolist(), count.tolist(), strict=True)), charge,
    )
    return topology, place, owner
