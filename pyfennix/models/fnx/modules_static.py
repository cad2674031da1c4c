# SPDX-License-Identifier: MIT
"""Modules that know atoms by their kind only: encodings, charges; and networks on any rows."""

from __future__ import annotations

import torch
from torch import Tensor

from pyfennix.exceptions import ModelError
from pyfennix.models.fnx.activations import activation
from pyfennix.models.fnx.elements import MAX_NUMBER, electronic_structure
from pyfennix.models.fnx.layers import Dense, NeuralNet
from pyfennix.models.fnx.modules import Build, FnxModule, RowModule, State, register
from pyfennix.models.fnx.settings import flag, only, required, text, texts, whole, wholes


@register("species_encoding")
class SpeciesEncoding(FnxModule):
    """Electronic structure of each element."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        required(params, "encoding")
        only(params, "encoding", "electronic_structure")
        only(params, "zmax", MAX_NUMBER)
        only(params, "trainable", False)
        self.elements = tuple(range(1, MAX_NUMBER + 1))
        self.key = text(params, "output_key", name)
        self.writes = (self.key,)
        build.add(self.key, 20, static=True)

    def prepare(self, static: State) -> None:
        """Per composition; see the base class."""
        table = torch.as_tensor(electronic_structure(static["numbers"]))
        static[self.key] = table.to(static["like"])


@register("neural_net")
class NeuralNetModule(NeuralNet, RowModule):
    """Dense network."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        source, key = text(params, "input_key"), text(params, "output_key", name)
        neurons = wholes(params, "neurons")
        NeuralNet.__init__(self, build.width(source), neurons, flag(params, "use_bias", True),
                           activation(params.get("activation", "silu")))
        self.reads, self.writes = (source,), (key,)
        squeeze = flag(params, "squeeze", False)
        self.connect(build, (neurons[-1],), flat=squeeze and neurons[-1] == 1)

    def compute(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The network's output."""
        return (self(*inputs),)


@register("concatenate")
class Concatenate(RowModule):
    """Columns side by side."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        only(params, "axis", -1)
        self.reads = tuple(texts(params, "keys"))
        self.writes = (text(params, "output_key", name),)
        self.connect(build, (sum(build.width(key) for key in self.reads),))

    def compute(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The joined columns."""
        return (torch.cat(inputs, dim=1),)


@register("charge_hypothesis")
class ChargeHypothesis(FnxModule):
    """Charges per kind of atom that sum to the total charge of the whole system (notes §4)."""

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        only(params, "mode", "qeq")
        # evaluate(charge=) and the keyword ml-qtot set it, whatever its name is
        text(params, "total_charge_key", "total_charge")
        self.source = text(params, "embedding_key")
        self.key = text(params, "output_key", name)
        self.reads, self.writes = (self.source,), (self.key,)
        n, width = whole(params, "ncharges", 10), build.width(self.source)
        if self.source not in build.static:
            raise ModelError(f"{self.source!r} depends on positions: charges of that kind "
                             "are not supported")
        self.wi, self.qi = Dense(width, n), Dense(width, n)
        build.add(self.key, n, static=True)

    def prepare(self, static: State) -> None:
        """Per composition; see the base class."""
        e, counts, group = static[self.source], static["counts"], static["group"]
        # not torch's softplus, which is the identity above 20
        weight = torch.logaddexp(self.wi(e), torch.zeros_like(e[:, :1]))
        charge = self.qi(e)
        sums = torch.zeros(len(static["charge"]), 2 * charge.shape[1]).to(e)
        sums = sums.index_add(0, group, counts * torch.cat([charge, weight], dim=1))
        present, weights = sums.index_select(0, group).chunk(2, dim=1)
        missing = static["charge"].index_select(0, group) - present
        static[self.key] = charge + weight * missing / weights
