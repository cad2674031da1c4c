# SPDX-License-Identifier: MIT
"""Molecules too big to stay whole, built from bond lengths and angles alone."""

from __future__ import annotations

import numpy as np


def place(a, b, c, length: float, angle: float, dihedral: float) -> np.ndarray:
    """The point bonded to c at an angle (degrees) with b and a dihedral (degrees) about b-c."""
    angle, dihedral = np.radians(angle), np.radians(dihedral)
    along = (c - b) / np.linalg.norm(c - b)
    normal = np.cross(b - a, along)
    normal /= np.linalg.norm(normal)
    side = np.cross(normal, along)
    return c + length * (-np.cos(angle) * along + np.sin(angle) * (
        np.cos(dihedral) * side + np.sin(dihedral) * normal))


def alkane(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and positions (Å) of an all-trans chain of n > 2 carbons, these first."""
    step = 1.53 * np.array([np.sin(np.radians(56.0)), np.cos(np.radians(56.0)), 0.0])
    flip = np.array([1.0, -1.0, 1.0])
    carbons = [np.zeros(3)]
    for k in range(n - 1):
        carbons.append(carbons[-1] + (step if k % 2 == 0 else step * flip))
    hydrogens = []
    for k in range(1, n - 1):
        hydrogens += [_beside(carbons[k - 1], carbons[k + 1], carbons[k], turn) for turn in (1, -1)]
    for third, other, end in (carbons[2::-1], carbons[-3:]):
        hydrogens += [place(third, other, end, 1.09, 110.0, turn) for turn in (60.0, 180.0, 300.0)]
    return np.array([6] * n + [1] * len(hydrogens)), np.array(carbons + hydrogens)


def _beside(left, right, center, turn: int, length: float = 1.09) -> np.ndarray:
    """A substituent of a center with two bonds, above (turn 1) or below (-1) their plane."""
    away = 2.0 * center - left - right
    away /= np.linalg.norm(away)
    normal = np.cross(left - center, right - center)
    normal /= np.linalg.norm(normal)
    half = np.radians(54.0)
    return center + length * (np.cos(half) * away + turn * np.sin(half) * normal)


def peptide(residues: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Numbers, positions (Å) and names of extended polyalanine, from amine to aldehyde."""
    z, x, names = [], [], []

    def add(name: str, point: np.ndarray) -> np.ndarray:
        z.append({"N": 7, "C": 6, "O": 8, "H": 1}[name[0]])
        x.append(point)
        names.append(name)
        return point

    n = add("N", np.zeros(3))
    ca = add("CA", np.array([1.458, 0.0, 0.0]))
    c = add("C", ca + 1.525 * np.array([np.cos(np.radians(69.0)), np.sin(np.radians(69.0)), 0.0]))
    for turn in (60.0, -60.0):
        add("H", place(c, ca, n, 1.01, 110.0, turn))
    for k in range(residues):
        if k:
            before, ca_before = c, ca
            n = add("N", place(n, ca, c, 1.329, 116.6, 135.0))
            add("H", place(ca_before, before, n, 1.01, 119.0, 0.0))
            ca = add("CA", place(ca_before, before, n, 1.458, 121.7, 180.0))
            c = add("C", place(before, n, ca, 1.525, 111.0, -140.0))
        cb = add("CB", place(n, c, ca, 1.53, 110.0, 122.0))
        add("HA", place(n, c, ca, 1.09, 109.0, -119.0))
        for turn in (60.0, 180.0, 300.0):
            add("HB", place(n, ca, cb, 1.09, 110.0, turn))
        add("O", place(n, ca, c, 1.229, 120.5, 135.0 - 180.0))
    add("H", place(n, ca, c, 1.10, 116.0, 135.0))
    return np.array(z), np.array(x), names


def polyphenyl(rings: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and positions (Å) of flat para-linked benzene rings: carbons ring by ring first."""
    turns = np.radians(60.0 * np.arange(6))
    ring = np.column_stack([np.cos(turns), np.sin(turns), np.zeros(6)])
    middles = np.arange(rings)[:, None, None] * np.array([2.0 * 1.39 + 1.49, 0.0, 0.0])
    carbons, hydrogens = (middles + radius * ring for radius in (1.39, 2.48))
    # at both links there is another ring instead
    free = np.ones((rings, 6), dtype=bool)
    free[:-1, 0] = free[1:, 3] = False
    hydrogens = hydrogens[free]
    return (np.array([6] * 6 * rings + [1] * len(hydrogens)),
            np.concatenate([carbons.reshape(-1, 3), hydrogens]))


def cycloalkane(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and positions (Å) of a flat ring of n CH2, carbons first."""
    turns = 2.0 * np.pi * np.arange(n) / n
    out = np.column_stack([np.cos(turns), np.sin(turns), np.zeros(n)])
    carbons = 0.5 * 1.53 / np.sin(np.pi / n) * out
    above = np.array([0.0, 0.0, 0.89])
    hydrogens = [carbons + 0.63 * out + side * above for side in (1, -1)]
    return np.array([6] * n + [1] * 2 * n), np.concatenate([carbons, *hydrogens])
