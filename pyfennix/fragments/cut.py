# SPDX-License-Identifier: MIT
"""Cuts a sphere of whole or capped molecules out of a system: ``cut_fragment`` and ``trim``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyfennix.exceptions import InputError
from pyfennix.fragments.cutting import (
    CARBON_CHAIN,
    CARBONS,
    CONJUGATED,
    SINGLE,
    Cutter,
    Site,
    grow,
)
from pyfennix.fragments.fragment import Fragment
from pyfennix.fragments.images import distance_to, images_near, nearest_images
from pyfennix.fragments.molecules import Molecules, find_molecules
from pyfennix.models.fnx.elements import covalent_radii
from pyfennix.models.members import read_system
from pyfennix.models.systems import composition_of

# Å beyond the margin up to which no bonded atom is cut off. A cap lies less than that from the
# atom it replaces (S-S 2.05 Å less S-H 1.34 Å), therefore always outside the margin.
_SKIN = 1.0
# Å beyond the margin within which bonds of a rank are looked for: further for worse ones, so that
# after a step in search of a good bond there is room left for the next
_SEARCH = {CARBONS: 3.0, CARBON_CHAIN: 8.0, SINGLE: 9.0, CONJUGATED: 10.0}
# Å, X-H bonds (CRC Handbook of Chemistry and Physics, bond lengths in organic compounds)
_CAP_LENGTHS = {5: 1.19, 6: 1.09, 7: 1.01, 8: 0.96, 14: 1.48, 15: 1.42, 16: 1.34}


def cut_fragment(
    numbers,
    positions,
    cell,
    center_atoms: int | Sequence[int] | np.ndarray,
    inner_radius: float,
    margin: float,
    bonds: Molecules | Sequence | np.ndarray | None = None,
    *,
    charge: float = 0.0,
    max_molecule: int = 60,
) -> Fragment:
    """Cut a sphere around an atom or a group of atoms out of a system.

    Inner atoms are those within ``inner_radius`` of a center, and everything within ``margin`` of
    any of these is kept as it is. Beyond, molecules of up to ``max_molecule`` atoms are completed;
    larger ones are cut at single bonds, those between sp3 carbons first, never in rings of up to
    seven atoms nor at double or aromatic bonds, amides last, and a hydrogen takes the cut bond's
    place. The sphere may be larger than the cell: atoms then appear once for each image.

    With a margin of twice the range R of a model (``exact_margin`` of label.py) its labels of
    inner atoms are those of the whole system: the force on an atom is a sum over the
    energies of atoms within R of it, and each of these sees R further. Caps and completed
    molecules lie outside and play no part. With a smaller margin labels are approximate.

    Parameters
    ----------
    numbers, positions, cell
        (n,) atomic numbers; (n, 3) Å, molecules may be cut by the cell's faces; (3, 3) Å, rows
        are lattice vectors, None if isolated.
    center_atoms
        One or several indices. Of several, images nearest to the first one are taken.
    inner_radius, margin
        Å.
    bonds
        :func:`pyfennix.fragments.molecules.find_molecules`'s answer, to be given when several
        fragments of a system are cut; (B, 2) pairs of atoms; None finds bonds by distance.
    charge
        Of the whole system, e.
    max_molecule
        Molecules of up to this many atoms stay whole.

    Raises
    ------
    InputError
        When the system is unusable, there is no center, a radius is negative, or a molecule too
        big has no bond that can be cut.
    """
    numbers, positions, cell, charge = read_system(numbers, positions, cell, charge)
    centers = np.unique(np.atleast_1d(np.asarray(center_atoms, dtype=np.int64)))
    if not len(centers) or centers[0] < 0 or centers[-1] >= len(numbers):
        raise InputError(f"center atoms must be some of 0 to {len(numbers) - 1}")
    if not (0.0 <= inner_radius < np.inf and 0.0 <= margin < np.inf):
        raise InputError(f"radii must be finite and not negative, not {inner_radius}, {margin} Å")
    if not isinstance(bonds, Molecules):
        bonds = find_molecules(numbers, positions, cell, bonds)
    inner = _inner_sites(positions, cell, np.atleast_1d(center_atoms), inner_radius)
    places = _places(positions, cell, inner)
    atom, image, distance = images_near(positions, cell, places, margin + max(_SEARCH.values()))
    table = np.column_stack([atom, image])
    big = (bonds.size > max_molecule) | bonds.endless
    near, large = distance <= margin, big[bonds.molecule[atom]]
    sites = _completed(table[near & ~large], bonds)
    cuts: list[tuple[Site, Site]] = []
    if (near & large).any():
        known = dict(zip(map(tuple, table.tolist()), distance.tolist(), strict=True))
        start = map(tuple, table[near & large].tolist())
        kept, cuts = grow(
            Cutter(numbers, positions, cell, bonds), set(start),
            lambda site: known.get(site, np.inf) <= margin + _SKIN,
            lambda site, rank: known.get(site, np.inf) <= margin + _SEARCH[rank],
            limit=10 * max_molecule)
        sites = np.concatenate([sites, np.array(sorted(kept))])
    nothing_missing = cell is None and len(sites) == len(numbers)
    return _assemble(numbers, positions, cell, bonds, sites, inner, cuts, {
        "composition": dict(composition_of(None, numbers)), "total_charge": charge,
        "margin": np.inf if nothing_missing else float(margin)})


def trim(fragment: Fragment, margin: float) -> Fragment:
    """What a model of smaller range needs of a fragment: all within ``margin`` of inner atoms.

    With a margin of twice that model's range its forces on the inner atoms are the same as in the
    whole fragment. Other atoms must not count in a loss: molecules are cut there without caps.

    Parameters
    ----------
    margin
        Å, at most the fragment's own.

    Raises
    ------
    InputError
        When the margin is larger than the fragment's.
    """
    if not 0.0 <= margin <= fragment.margin:
        raise InputError(f"a fragment with a margin of {fragment.margin:.2f} Å cannot be trimmed "
                         f"to {margin:.2f} Å")
    rows = np.flatnonzero(fragment.distance <= margin)
    return fragment.take(rows, margin=float(margin), complete=False)


def _places(positions, cell, sites: np.ndarray) -> np.ndarray:
    """(k, 3) Å of (k, 4) sites."""
    own = positions[sites[:, 0]]
    return own if cell is None else own + sites[:, 1:] @ cell


def _inner_sites(positions, cell, centers: np.ndarray, radius: float) -> np.ndarray:
    """(k, 4) sites within a radius of the centers, of each atom the nearest image only."""
    image = nearest_images(positions[centers] - positions[centers[0]], cell)
    sites = np.column_stack([centers, image])
    atom, image, distance = images_near(positions, cell, _places(positions, cell, sites), radius)
    # a center is its own nearest image, whatever rounding says
    given = (np.column_stack([atom, image])[:, None] == sites[None]).all(axis=2).any(axis=1)
    order = np.lexsort((image[:, 2], image[:, 1], image[:, 0], distance.round(9), ~given, atom))
    _, place = np.unique(atom[order], return_index=True)
    chosen = order[place]
    return np.column_stack([atom[chosen], image[chosen]])


def _completed(sites: np.ndarray, molecules: Molecules) -> np.ndarray:
    """(k, 4) all sites of the molecules that some sites are of."""
    atom = sites[:, 0]
    base = np.column_stack([molecules.molecule[atom], sites[:, 1:] - molecules.offset[atom]])
    base = np.unique(base, axis=0)
    order = np.argsort(molecules.molecule, kind="stable")
    begin = np.concatenate([[0], np.cumsum(molecules.size)])
    count = molecules.size[base[:, 0]]
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    member = order[np.repeat(begin[base[:, 0]], count) + within]
    return np.column_stack([member, np.repeat(base[:, 1:], count, axis=0)
                            + molecules.offset[member]])


def _assemble(numbers, positions, cell, molecules: Molecules, sites, inner, cuts,
              known: dict) -> Fragment:
    """The fragment of these (k, 4) sites, inner ones among them, and cut bonds."""
    centers = _places(positions, cell, inner)
    distance = distance_to(_places(positions, cell, sites), centers)
    within = set(map(tuple, inner.tolist()))
    mark = np.array([tuple(site) in within for site in sites.tolist()], dtype=bool)
    order = np.lexsort((*sites.T[::-1], distance.round(9), ~mark))
    sites, distance, mark = sites[order], distance[order], mark[order]
    place = {tuple(site): k for k, site in enumerate(sites.tolist())}
    partner = np.array([place[a] for a, _ in cuts], dtype=np.int64)
    lost = np.array([b for _, b in cuts], dtype=np.int64).reshape(-1, 4)
    own = _places(positions, cell, sites)
    arm = _places(positions, cell, lost) - own[partner]
    length = np.array([_cap_length(int(z)) for z in numbers[sites[partner, 0]]])
    caps = own[partner] + arm * (length / np.linalg.norm(arm, axis=1))[:, None]
    n, none = len(sites), np.full(len(sites), -1)
    bonds = _bonds(molecules, sites, place)
    tied = np.column_stack([partner, n + np.arange(len(cuts))])
    return Fragment(
        numbers=np.r_[numbers[sites[:, 0]], np.ones(len(cuts), np.int64)],
        positions=np.concatenate([own, caps]),
        source=np.r_[sites[:, 0], np.full(len(cuts), -1)],
        image=np.concatenate([sites[:, 1:], np.zeros((len(cuts), 3), np.int64)]),
        inner=np.r_[mark, np.zeros(len(cuts), bool)],
        distance=np.r_[distance, distance_to(caps, centers)],
        bonds=np.concatenate([bonds, tied]),
        partner=np.r_[none, partner],
        replaced=np.r_[none, lost[:, 0]],
        **known,
    )


def _bonds(molecules: Molecules, sites: np.ndarray, place: dict[Site, int]) -> np.ndarray:
    """(B, 2) the bonds among sites, each once."""
    atom = sites[:, 0]
    count = molecules.first[atom + 1] - molecules.first[atom]
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    edge = np.repeat(molecules.first[atom], count) + within
    start = np.repeat(np.arange(len(sites)), count)
    ends = np.column_stack([molecules.neighbor[edge], sites[start, 1:] + molecules.shift[edge]])
    other = np.array([place.get(tuple(end), -1) for end in ends.tolist()], dtype=np.int64)
    once = start < other
    return np.column_stack([start[once], other[once]]).reshape(-1, 2)


def _cap_length(number: int) -> float:
    """Å from an atom to the hydrogen that caps it."""
    return _CAP_LENGTHS.get(number) or float(covalent_radii((number, 1)).sum())
