# SPDX-License-Identifier: MIT
"""Modules evaluated once per composition: encodings, charges and networks on rows per element."""

from __future__ import annotations

import torch

from pyfennix.models.fnx.elements import electronic_structure
from pyfennix.models.fnx.layers import Dense, NeuralNet
from pyfennix.models.fnx.modules import Build, FnxModule, State, only, register


@register("species_encoding")
class SpeciesEncoding(FnxModule):
    """Electronic structure of each element."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        only(params, "encoding", "electronic_structure")
        only(params, "zmax", 86)
        self.key = params.get("output_key", name)
        self.writes = (self.key,)
        build.widths[self.key] = 20

    def prepare(self, static: State) -> None:
        """Per composition; see the base class."""
        table = torch.as_tensor(electronic_structure(static["numbers"]))
        static[self.key] = table.to(static["like"])


@register("neural_net")
class NeuralNetModule(NeuralNet, FnxModule):
    """Dense network on rows per element."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        only(params, "activation", "swish", "silu")
        self.source = params["input_key"]
        self.key = params.get("output_key", name)
        self.reads, self.writes = (self.source,), (self.key,)
        neurons = [int(n) for n in params["neurons"]]
        NeuralNet.__init__(self, build.widths[self.source], neurons, params.get("use_bias", True))
        build.widths[self.key] = neurons[-1]

    def prepare(self, static: State) -> None:
        """Per composition; see the base class."""
        static[self.key] = self(static[self.source])


@register("concatenate")
class Concatenate(FnxModule):
    """Columns side by side, per element."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        only(params, "axis", -1)
        self.reads = tuple(params["keys"])
        self.key = params.get("output_key", name)
        self.writes = (self.key,)
        build.widths[self.key] = sum(build.widths[k] for k in self.reads)

    def prepare(self, static: State) -> None:
        """Per composition; see the base class."""
        static[self.key] = torch.cat([static[k] for k in self.reads], dim=1)


@register("charge_hypothesis")
class ChargeHypothesis(FnxModule):
    """Charges per element that sum to the total charge of the whole system (notes §4)."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        only(params, "mode", "qeq")
        self.source = params["embedding_key"]
        self.key = params.get("output_key", name)
        self.reads, self.writes = (self.source,), (self.key,)
        n = int(params.get("ncharges", 10))
        width = build.widths[self.source]
        self.wi, self.qi = Dense(width, n), Dense(width, n)
        build.widths[self.key] = n

    def prepare(self, static: State) -> None:
        """Per composition; see the base class."""
        e, counts = static[self.source], static["counts"]
        weight = torch.nn.functional.softplus(self.wi(e))
        charge = self.qi(e)
        missing = static["total_charge"] - (counts * charge).sum(0)
        static[self.key] = charge + weight * missing / (counts * weight).sum(0)
