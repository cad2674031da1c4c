# SPDX-License-Identifier: MIT
"""The part of an evaluation that knows no positions: computed once per kind of atom."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pyfennix.models.fnx.elements import block_of
from pyfennix.models.fnx.layers import Partition
from pyfennix.models.fnx.modules import State
from pyfennix.models.graph import Topology
from pyfennix.models.systems import Systems


def prepare(modules: Sequence[nn.Module], systems: Systems, wanted: frozenset[str],
            like: Tensor) -> State:
    """What the modules prepare for these compositions and charges, as ``like``'s dtype."""
    device = like.device
    first, second = systems.pairs()
    static = State({
        "numbers": systems.kind_numbers,
        "counts": torch.tensor(systems.kind_counts, dtype=like.dtype, device=device).unsqueeze(1),
        "group": torch.tensor(systems.kind_groups, dtype=torch.int64, device=device),
        "charge": torch.tensor(systems.charges, dtype=like.dtype, device=device).unsqueeze(1),
        "pairs": (torch.as_tensor(first, device=device), torch.as_tensor(second, device=device)),
        "like": like,
        "wanted": wanted,
    })
    for module in modules:
        module.prepare(static)
    return static


def read_keys(modules: Sequence[nn.Module], keys: frozenset[str]) -> frozenset[str]:
    """The keys that somebody wants: those given, and what the modules read."""
    return keys.union(*(module.reads for module in modules))


class StaticCache:
    """Keeps the static part until compositions, charges or weights change.

    Nothing is kept while parameters are trained: gradients flow through the static part.
    """

    def __init__(self) -> None:
        self._kept: dict[frozenset[str], tuple[tuple, list[Tensor], State]] = {}

    def get(self, modules: Sequence[nn.Module], systems: Systems, wanted: frozenset[str],
            parameters: Sequence[Tensor], like: Tensor) -> State:
        """The static part of these modules; ``parameters`` are all of the model's."""
        if torch.is_grad_enabled() and any(p.requires_grad for p in parameters):
            return prepare(modules, systems, wanted, like)
        key = (systems.groups, like.device, like.dtype,
               tuple((p.data_ptr(), p._version) for p in parameters))
        kept = self._kept.get(wanted)
        # the parameters themselves are kept too: a new one could lie where an old one was
        if kept is None or kept[0] != key or not all(map(operator.is_, kept[1], parameters)):
            with torch.no_grad():
                state = prepare(modules, systems, wanted, like)
            kept = self._kept[wanted] = (key, list(parameters), state)
        return kept[2]


def partition(topology: Topology, split_blocks: bool) -> Partition:
    """Rows of the centers by block of elements; one list per topology."""
    key = ("partition", split_blocks)
    if key not in topology.cache:
        kind = topology.kind[: topology.n_center]
        blocks: dict[str, list[int]] = {}
        for index, z in enumerate(topology.systems.kind_numbers):
            blocks.setdefault(block_of(z, split_blocks), []).append(index)
        topology.cache[key] = [
            (block, torch.isin(kind, torch.tensor(kinds, device=kind.device))
             .nonzero().squeeze(1))
            for block, kinds in blocks.items()
        ]
    return topology.cache[key]
