# SPDX-License-Identifier: MIT
"""Modules evaluated at every step: energies, repulsion and sums of them."""

from __future__ import annotations

from torch import Tensor

from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.layers import BlockNet
from pyfennix.models.fnx.modules import Build, FnxModule, State, only, register
from pyfennix.models.fnx.repulsion import RepulsionNLH, RepulsionZBL


@register("block_index_net")
class BlockIndexNet(BlockNet, FnxModule):
    """One network per block of elements on the centers."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        only(params, "activation", "swish", "silu")
        self.source = params["input_key"]
        self.key = params.get("output_key", name)
        self.reads, self.writes = (self.source,), (self.key,)
        n_out = int(params.get("output_dim", 1))
        neurons = [*(int(n) for n in params["hidden_neurons"]), n_out]
        BlockNet.__init__(self, build.blocks, build.widths[self.source], neurons,
                          params.get("use_bias", True))
        build.widths[self.key] = n_out

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        state[self.key] = self(state[self.source], state["partition"])


class _Repulsion(FnxModule):
    """What the repulsions share: a table per composition, energies per center in eV."""

    def _set_up(self, name: str, params: dict, build: Build) -> None:
        only(params, "trainable", False)
        self.own_name, self.graph_key = name, params.get("graph_key", "graph")
        self.key = params.get("energy_key", params.get("output_key", name))
        self.writes = (self.key,)
        build.widths[self.key] = 1

    def prepare(self, static: State) -> None:
        """Per composition; see the base class."""
        static[f"{self.own_name}/table"] = self.table(static["numbers"], static["like"])

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        table = state["static"][f"{self.own_name}/table"]
        energy = self(table, state["graphs"][self.graph_key]) / state["energy_in_ev"]
        state[self.key] = energy.unsqueeze(1)


@register("pyfennix_zbl")
class ZBLModule(_Repulsion, RepulsionZBL):
    """Universal screened nuclear repulsion, ours: FeNNol has no such module."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        RepulsionZBL.__init__(self, params.get("ranges", ()), float(params.get("p", 6.0)))
        self._set_up(name, params, build)


@register("repulsion_nlh")
class NLHModule(_Repulsion, RepulsionNLH):
    """Screened nuclear repulsion with coefficients stored in the checkpoint."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        if name not in build.tables:
            raise ModelError(
                f"module {name!r} (repulsion_nlh) needs a coefficient table in the checkpoint"
            )
        table = build.tables[name]
        elements = [int(z) for z in table["elements"]]
        RepulsionNLH.__init__(self, elements, table["a"], table["b"])
        self._set_up(name, params, build)


@register("reshape")
class Reshape(FnxModule):
    """Only to or from a single column, which is how centers are kept here anyway."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        if list(params["shape"]) not in ([-1, 1], [-1]):
            raise ModelError(f"reshape to {params['shape']} is not supported: use [-1, 1]")
        self.source, self.key = params["key"], params.get("output_key", params["key"])
        self.reads, self.writes = (self.source,), (self.key,)
        build.widths[self.key] = build.widths[self.source]

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        state[self.key] = state[self.source]


@register("add")
class Add(FnxModule):
    """Sum of columns, a single column being added to all."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        self.reads = tuple(params["keys"])
        self.key = params.get("output_key", name)
        self.writes = (self.key,)
        build.widths[self.key] = max(build.widths[k] for k in self.reads)

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        total: Tensor = state[self.reads[0]]
        for key in self.reads[1:]:
            total = total + state[key]
        state[self.key] = total


@register("ensemble_stat")
class EnsembleStat(FnxModule):
    """Mean and unbiased variance over the last axis."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        self.source = params["key"]
        self.mean = params.get("mean_key") or self.source + "_mean"
        self.var = params.get("var_key") or self.source + "_var"
        self.reads, self.writes = (self.source,), (self.mean, self.var)
        build.widths[self.mean] = build.widths[self.var] = 1

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        members = state[self.source]
        state[self.mean] = members.mean(1, keepdim=True)
        state[self.var] = members.var(1, keepdim=True)


@register("scatter_system")
class ScatterSystem(FnxModule):
    """Sums over the system; never part of an energy per atom, so never run."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        self.reads = (params["key"],)
        self.key = params.get("output_key", name)
        self.writes = (self.key,)
        build.widths[self.key] = build.widths[params["key"]]
