# SPDX-License-Identifier: MIT
"""The module ``pyfennix_density``: energies from invariants of the atomic density."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pyfennix.exceptions import ModelError
from pyfennix.models.density.kernel import density_energies, pack, read_shape
from pyfennix.models.density.sums import DensityEdges, density, trained_density
from pyfennix.models.fnx.edges import Edges
from pyfennix.models.fnx.layers import NeuralNet
from pyfennix.models.fnx.modules import Build, FnxModule, State, register
from pyfennix.models.fnx.settings import text, whole, wholes
from pyfennix.models.graph import Graph, Topology
from pyfennix.models.native.library import available

MOST_RADIAL, MOST_HIDDEN = 32, 4


@register("pyfennix_density")
class DensityModule(FnxModule):
    """One energy per atom from the power spectrum of the density of its neighbours.

    The density sum_j B_k(d_ij) Y_lm(u_ij), one per element of j, is mixed to a few channels for
    each degree l by a matrix that depends on the element of i; the products of two channels of
    one degree, summed over m, are invariants (Bartók, Kondor and Csányi, Phys. Rev. B 87, 184115
    (2013), equation 32); a network per element turns them into the energy.

    Settings: ``elements``, ``radial`` (number of radial functions, 8), ``power`` of the switch
    (4), ``channels`` of each degree from 0, ``neurons`` of the hidden layers, ``graph_key``.

    Attributes
    ----------
    training_kernels
        Whether compiled kernels may be used while parameters are trained on forces. Then
        gradients of forces by *positions* are incomplete, so only a trainer sets it.
    """

    training_kernels: bool = False

    def __init__(self, name: str, params: dict, build: Build) -> None:
        super().__init__()
        self.own_name, self.graph_key = name, text(params, "graph_key", "graph")
        if self.graph_key not in build.graphs:
            raise ModelError(f"it reads the graph {self.graph_key!r}, which does not exist")
        self.cutoff = build.graphs[self.graph_key]
        self.elements = tuple(wholes(params, "elements"))
        self.radial = whole(params, "radial", 8, 1, MOST_RADIAL)
        self.power = whole(params, "power", 4, 2, 12)
        channels, neurons = wholes(params, "channels"), wholes(params, "neurons")
        if not 1 <= len(channels) <= 4 or not 1 <= len(neurons) <= MOST_HIDDEN:
            raise ModelError("channels is not a list of one to four numbers, or neurons of one to "
                             f"{MOST_HIDDEN}")
        if len(set(self.elements)) != len(self.elements):
            raise ModelError("elements names one twice")
        count, width = len(self.elements), len(self.elements) * self.radial
        self.channels, self.widths = tuple(channels), (_features(channels), *neurons, 1)
        self.kernel_shape = read_shape(self.channels, self.widths)
        self.mixing = nn.ParameterList(
            nn.Parameter(torch.randn(count, width, c) / math.sqrt(width)) for c in channels
        )
        self.scale = nn.Parameter(torch.ones(count, self.widths[0]))
        self.shift = nn.Parameter(torch.zeros(count, self.widths[0]))
        self.networks = nn.ModuleList(NeuralNet(self.widths[0], self.widths[1:])
                                      for _ in self.elements)
        for net in self.networks:  # an untrained model is nearly flat
            with torch.no_grad():
                net.get_submodule(f"Layer_{net.depth}").kernel.mul_(0.1)
        self.writes = (text(params, "output_key", name),)
        build.add(self.writes[0], 1, flat=True)

    def prepare(self, static: State) -> None:
        """The weights as the kernel reads them, while they are not trained."""
        if not torch.is_grad_enabled():
            static[f"{self.own_name}/weights"] = pack(self)

    def run(self, state: State) -> None:
        """Per evaluation; see the base class."""
        edges = self._edges(state["graphs"][self.graph_key], state["input"].topology)
        if state["native"]:
            weights = state["static"][f"{self.own_name}/weights"]
            energy = density_energies(edges, *self._order(state["input"].topology), weights,
                                      self.kernel_shape)
        else:
            sums = trained_density if self._trains(edges) else density
            energy = self._energies(sums(edges), self._rows(state["input"].topology))
        state[self.writes[0]] = energy.unsqueeze(1)

    def _edges(self, lists: Edges | Graph, top: Topology) -> DensityEdges:
        return DensityEdges(lists.vectors, lists.receiver, lists.neighbor, lists.first,
                            self._species(top), len(self.elements), self.cutoff, self.power,
                            self.radial)

    def all_invariants(self, graph: Graph) -> list[Tensor]:
        """The invariants of the centers of each element, of a graph with this module's cutoff."""
        edges = self._edges(graph, graph.topology)
        sums = trained_density(edges) if available(edges.vectors) else density(edges)
        return [self.invariants(sums.index_select(0, own), place)
                for place, own in enumerate(self._rows(graph.topology))]

    def _trains(self, edges: DensityEdges) -> bool:
        return self.training_kernels and available(edges.vectors)

    def _species(self, top: Topology) -> Tensor:
        """(n_total,) the place of each atom's element in ``elements``."""
        key = ("density species", self.elements)
        if key not in top.cache:
            table = torch.zeros(max(self.elements) + 1, dtype=torch.int64,
                                device=top.numbers.device)
            for place, number in enumerate(self.elements):
                table[number] = place
            top.cache[key] = table[top.numbers]
        return top.cache[key]

    def _rows(self, top: Topology) -> list[Tensor]:
        """The centers of each element."""
        key = ("density rows", self.elements)
        if key not in top.cache:
            species = self._species(top)[: top.n_center]
            top.cache[key] = [(species == place).nonzero().squeeze(1)
                              for place in range(len(self.elements))]
        return top.cache[key]

    def _order(self, top: Topology) -> tuple[Tensor, Tensor]:
        """The centers element by element, and how many there are of each."""
        key = ("density order", self.elements)
        if key not in top.cache:
            rows = self._rows(top)
            top.cache[key] = torch.cat(rows), torch.tensor([len(own) for own in rows])
        return top.cache[key]

    def invariants(self, sums: Tensor, place: int) -> Tensor:
        """(n, features) of atoms of one element from their densities (n, species · radial, 16)."""
        parts, begin = [], 0
        for degree, mixing in enumerate(self.mixing):
            width = 2 * degree + 1
            part = sums[:, :, begin : begin + width].transpose(1, 2)
            channels = part @ mixing[place]  # (n, 2l + 1, channels)
            begin += width
            if degree == 0:
                parts.append(channels.squeeze(1))
            else:
                first, second = torch.triu_indices(*[mixing.shape[2]] * 2, device=sums.device)
                square = channels.transpose(1, 2) @ channels
                parts.append(square[:, first, second] / math.sqrt(width))
        return torch.cat(parts, dim=1)

    def _energies(self, sums: Tensor, rows: Sequence[Tensor]) -> Tensor:
        """(n_center,) by torch operations."""
        energies = sums.new_zeros(len(sums))
        for place, (net, own) in enumerate(zip(self.networks, rows, strict=True)):
            if len(own):
                found = self.invariants(sums.index_select(0, own), place)
                found = (found - self.shift[place]) * self.scale[place]
                energies = energies.index_copy(0, own, net(found).squeeze(1))
        return energies


def _features(channels: Sequence[int]) -> int:
    """Number of invariants."""
    return channels[0] + sum(c * (c + 1) // 2 for c in channels[1:])
