# SPDX-License-Identifier: MIT
"""Modules evaluated at every step: networks, repulsion, sums and statistics."""

from __future__ import annotations

import torch
from torch import Tensor

from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.activations import activation
from pyfennix.models.fnx.layers import BlockNet
from pyfennix.models.fnx.modules import Build, FnxModule, RowModule, State, register
from pyfennix.models.fnx.nlh import LAST, published
from pyfennix.models.fnx.repulsion import RepulsionNLH, RepulsionZBL
from pyfennix.models.fnx.settings import flag, number, only, required, text, texts, whole, wholes


@register("block_index_net")
class BlockIndexNet(BlockNet, FnxModule):
    """One network per block of elements on the centers."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        self.source, self.key = text(params, "input_key"), text(params, "output_key", name)
        self.reads, self.writes = (self.source,), (self.key,)
        n_out = whole(params, "output_dim", 1)
        text(params, "block_index_key", "block_index")
        hidden = wholes(params, "hidden_neurons")
        width = build.width(self.source)
        if self.source in build.per_system:
            raise ModelError(f"{self.source!r} holds numbers per system, not per atom")
        BlockNet.__init__(self, build.blocks, width, [*hidden, n_out],
                          flag(params, "use_bias", True),
                          activation(params.get("activation", "silu")))
        squeeze = flag(params, "squeeze", False)
        build.add(self.key, n_out, flat=squeeze and n_out == 1)

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        state[self.key] = self(state[self.source], state["partition"], native=state["native"])


class _Repulsion(FnxModule):
    """What the repulsions share: a table per composition, energies per center in eV."""

    def _set_up(self, name: str, params: dict, build: Build) -> None:
        only(params, "trainable", False)
        self.own_name, self.graph_key = name, text(params, "graph_key", "graph")
        if self.graph_key not in build.graphs:
            raise ModelError(f"it reads the graph {self.graph_key!r}, which does not exist")
        self.key = text(params, "energy_key", text(params, "output_key", name))
        self.writes = (self.key,)
        build.add(self.key, 1, flat=True)

    def prepare(self, static: State) -> None:
        """Per composition; see the base class."""
        pairs = [index.tolist() for index in static["pairs"]]
        static[f"{self.own_name}/table"] = self.table(static["numbers"], pairs, static["like"])

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        table = state["static"][f"{self.own_name}/table"]
        energy = self(table, state["graphs"][self.graph_key]) / state["energy_in_ev"]
        state[self.key] = energy.unsqueeze(1)


@register("pyfennix_zbl")
class ZBLModule(_Repulsion, RepulsionZBL):
    """Universal screened nuclear repulsion, ours: FeNNol has no such module."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        ranges = params.get("ranges", [])
        if not isinstance(ranges, list | tuple) or not all(map(_is_range, ranges)):
            raise ModelError("ranges is not a list of [Z1, Z2, distance in Å]")
        RepulsionZBL.__init__(self, ranges, number(params, "p", 6.0))
        self._set_up(name, params, build)


def _is_range(entry: object) -> bool:
    """Whether this is [Z1, Z2, Å]."""
    if not isinstance(entry, list | tuple) or len(entry) != 3:
        return False
    return all(isinstance(x, int | float) and 0 < x < 1000 for x in entry)


@register("repulsion_nlh")
class NLHModule(_Repulsion, RepulsionNLH):
    """Screened nuclear repulsion: the published coefficients, or those in the checkpoint."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        if name in build.tables:
            table = build.tables[name]
            elements = [int(z) for z in table["elements"]]
            RepulsionNLH.__init__(self, elements, table["a"], table["b"])
        else:
            RepulsionNLH.__init__(self, list(range(1, LAST + 1)),
                                  *(part[1:, 1:] for part in published()))
        self.elements = tuple(self.pairs_of)
        self._set_up(name, params, build)


@register("reshape")
class Reshape(RowModule):
    """Only to or from a single column, which is how centers are kept here anyway."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        shape, source = required(params, "shape"), text(params, "key")
        if list(shape) not in ([-1, 1], [-1]):
            raise ModelError(f"shape = {shape!r} is not supported: use [-1, 1] or [-1]")
        self.reads, self.writes = (source,), (text(params, "output_key", source),)
        if build.width(source) != 1:
            raise ModelError(f"shape = {shape!r} of {build.width(source)} columns "
                             "is not supported: only of one")
        self.connect(build, (1,), flat=len(shape) == 1)

    def compute(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The same column."""
        return inputs


@register("add")
class Add(RowModule):
    """Sum of columns, a single column being added to all."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        self.reads = tuple(texts(params, "keys"))
        self.writes = (text(params, "output_key", name),)
        widths = {build.width(key) for key in self.reads} - {1}
        if len(widths) > 1:
            raise ModelError(f"it adds columns of widths {sorted(widths)}")
        flat = [key in build.flat for key in self.reads]
        if any(flat) and not all(flat):
            raise ModelError("it adds arrays of one and of two axes: reshape to [-1, 1] first")
        self.connect(build, (max(widths, default=1),), flat=all(flat))

    def compute(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The sum."""
        total = inputs[0]
        for part in inputs[1:]:
            total = total + part
        return (total,)


@register("ensemble_stat")
class EnsembleStat(RowModule):
    """Mean and unbiased variance over the last axis."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        self.source = text(params, "key")
        self.mean = params.get("mean_key") or self.source + "_mean"
        self.var = params.get("var_key") or self.source + "_var"
        only(params, "axis", -1)
        self.reads, self.writes = (self.source,), (self.mean, self.var)
        build.width(self.source)
        self.connect(build, (1, 1), flat=True)

    def _write(self, state: State) -> None:
        """Whichever of mean and variance is wanted."""
        members = state[self.source]
        if self.mean in state["wanted"]:
            state[self.mean] = members.mean(1, keepdim=True)
        if self.var in state["wanted"]:
            state[self.var] = members.var(1, keepdim=True)


@register("scatter_system")
class ScatterSystem(FnxModule):
    """Sums over the atoms of each system."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        only(params, "average", False)
        source, self.key = text(params, "key"), text(params, "output_key", name)
        self.reads, self.writes = (source,), (self.key,)
        if source in build.per_system:
            raise ModelError(f"{source!r} holds numbers per system already")
        build.add(self.key, build.width(source), source in build.flat, per_system=True)

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        graph = state["input"]
        rows, system = state[self.reads[0]][: graph.n_local], graph.system[: graph.n_local]
        sums = torch.zeros(graph.n_systems, rows.shape[1], dtype=rows.dtype, device=rows.device)
        state[self.key] = sums.index_add(0, system, rows)
