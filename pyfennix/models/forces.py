# SPDX-License-Identifier: MIT
"""Forces on atoms, with the virials of their systems, from the gradient of the edge vectors."""

from __future__ import annotations

import torch
from torch import Tensor

from pyfennix.models.graph import Graph
from pyfennix.models.native import edges


def edge_gradient(energy: Tensor, graph: Graph) -> Tensor:
    """(E, 3) dE/dvector of a 0-d energy; zero when it does not depend on the geometry."""
    if energy.requires_grad:
        (gradient,) = torch.autograd.grad(energy, graph.vectors, allow_unused=True)
        if gradient is not None:
            return gradient
    return torch.zeros_like(graph.vectors)


def forces_and_virials(gradient: Tensor, graph: Graph, native: bool) -> tuple[Tensor, Tensor]:
    """Forces (n_total, 3) and virials (n_systems, 3, 3) in float64, from dE/dvector (E, 3).

    A vector r_j - r_i pushes i forwards and j backwards. The virial of a system is its sum of
    vector^T gradient, +dE/dstrain. ``native`` says whether the compiled kernels do it.
    """
    vectors, top = graph.vectors.detach(), graph.topology
    if native:
        incoming = graph.incoming()
        return edges.forces_and_virials(gradient, vectors, graph.first, incoming, top.system,
                                        top.n_systems)
    gradient, vectors = gradient.double(), vectors.double()
    columns = [
        torch.bincount(graph.receiver, column, minlength=graph.n_total)
        - torch.bincount(graph.neighbor, column, minlength=graph.n_total)
        for column in gradient.T.contiguous()
    ]
    forces = torch.stack(columns, dim=1)
    if top.system is None:
        return forces, (vectors.T @ gradient).unsqueeze(0)
    products = (vectors.unsqueeze(2) * gradient.unsqueeze(1)).flatten(1)
    virials = gradient.new_zeros(top.n_systems, 9)
    virials.index_add_(0, top.system.index_select(0, graph.receiver), products)
    return forces, virials.view(-1, 3, 3)
