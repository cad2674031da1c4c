# SPDX-License-Identifier: MIT
"""What RASTER knows about elements: electron shells, covalent radii, blocks; computed, Z <= 86."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np

from pyfennix.exceptions import ModelError

MAX_NUMBER = 86

# (name, n, l) in the column order of the encoding; capacity 2(2l + 1)
_SUBSHELLS = (
    ("1s", 0), ("2s", 0), ("2p", 1), ("3s", 0), ("3p", 1), ("4s", 0), ("3d", 2), ("4p", 1),
    ("5s", 0), ("4d", 2), ("5p", 1), ("6s", 0), ("4f", 3), ("5d", 2), ("6p", 1),
)  # fmt: skip
_CAPACITY = np.array([2 * (2 * degree + 1) for _, degree in _SUBSHELLS])
_NOBLE = (2, 10, 18, 36, 54)

# Ground states that break the aufbau rule (NIST Atomic Spectra Database): electrons moved.
_MOVED = {
    24: ("4s", "3d", 1), 29: ("4s", "3d", 1), 41: ("5s", "4d", 1), 42: ("5s", "4d", 1),
    44: ("5s", "4d", 1), 45: ("5s", "4d", 1), 46: ("5s", "4d", 2), 47: ("5s", "4d", 1),
    57: ("4f", "5d", 1), 58: ("4f", "5d", 1), 64: ("4f", "5d", 1), 78: ("6s", "5d", 1),
    79: ("6s", "5d", 1),
}  # fmt: skip

# Single-bond covalent radii in pm: Pyykkö and Atsumi, Chem. Eur. J. 15, 186 (2009), Z = 1..86.
_RADII_PM = (
    32, 46, 133, 102, 85, 75, 71, 63, 64, 67, 155, 139, 126, 116, 111, 103, 99, 96, 196, 171, 148,
    136, 134, 122, 119, 116, 111, 110, 112, 118, 124, 121, 121, 116, 114, 117, 210, 185, 163, 154,
    147, 138, 128, 125, 125, 120, 128, 136, 142, 140, 140, 136, 133, 131, 232, 196, 180, 163, 176,
    174, 173, 172, 168, 169, 168, 167, 166, 165, 164, 170, 162, 152, 146, 137, 131, 129, 122, 123,
    124, 133, 144, 144, 151, 145, 147, 142,
)  # fmt: skip

_BLOCKS = {
    "H": (1,), "C": (6,), "N": (7,), "O": (8,), "P": (15,), "S": (16,), "Se": (34,),
    "HALOGENS": (9, 17, 35, 53, 85), "ALKALI": (3, 11, 19, 37, 55),
    "ALKALINE": (4, 12, 20, 38, 56), "TRANSITION_METALS": (*range(21, 31), *range(39, 49),
    *range(72, 81)), "POST_METALS": (13, 31, 49, 50, 81, 82, 83, 84),
    "METALLOIDS": (5, 14, 32, 33, 51, 52), "LANTHANIDES": tuple(range(57, 72)),
    "ACTINIDES": tuple(range(89, 104)), "NOBLE GASES": (2, 10, 18, 36, 54, 86),
}  # fmt: skip
BLOCK_OF = {z: block for block, members in _BLOCKS.items() for z in members}
BLOCK_NAMES = tuple(_BLOCKS)


def block_of(number: int, split_cnopsse: bool = True) -> str:
    """Name of the block of an element (notes §3.4); unsplit, C N O P S Se share one."""
    block = BLOCK_OF[number]
    shared = ("C", "N", "O", "P", "S", "Se")
    return "CNOPSSE" if not split_cnopsse and block in shared else block


@cache
def _occupations(number: int) -> np.ndarray:
    """Electrons in each of the 15 subshells."""
    left, occupied = number, np.zeros(len(_SUBSHELLS), dtype=int)
    for i, capacity in enumerate(_CAPACITY):
        occupied[i] = min(left, capacity)
        left -= occupied[i]
    names = [name for name, _ in _SUBSHELLS]
    if number in _MOVED:
        source, target, count = _MOVED[number]
        occupied[names.index(source)] -= count
        occupied[names.index(target)] += count
    return occupied


def electronic_structure(numbers: Iterable[int]) -> np.ndarray:
    """(n, 20) encoding: Z/86, subshell filling, filling of the valence s, p, d, f (notes §4).

    Valence electrons are those outside the last noble gas. FeNNol's table has two irregular rows,
    which are followed because its checkpoints were trained on them: Lu counts two 5d electrons
    among the subshells, and Hf has no subshells at all.

    Values are rounded to float32, as FeNNol's are. ModelError beyond Z = 86.
    """
    rows = []
    for number in numbers:
        check_range(number)
        occupied = _occupations(number).copy()
        core = max((z for z in _NOBLE if z < number), default=0)
        outside = occupied - (_occupations(core) if core else 0)
        valence = np.zeros(4)
        for (_, degree), count in zip(_SUBSHELLS, outside, strict=True):
            valence[degree] += count
        if number == 71:
            occupied[13] = 2
        elif number == 72:
            occupied[:] = 0
        row = [number / MAX_NUMBER, *(occupied / _CAPACITY), *(valence / (2, 6, 10, 14))]
        rows.append(row)
    return np.array(rows, dtype=np.float32).astype(np.float64).reshape(-1, 20)


def covalent_radii(numbers: Iterable[int]) -> np.ndarray:
    """(n,) single-bond covalent radii in Å; ModelError beyond Z = 86."""
    return np.array([_RADII_PM[check_range(z) - 1] / 100.0 for z in numbers])


def check_range(number: int) -> int:
    """Return the atomic number, or raise ModelError if the tables do not reach it."""
    if not 1 <= number <= MAX_NUMBER:
        raise ModelError(f"RASTER models reach from Z = 1 to {MAX_NUMBER}, not Z = {number}")
    return number
