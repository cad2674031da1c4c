"""Exactly linear forces: each H is bound to the O nearby by ½ k |r - r0|², r0 along x."""

from __future__ import annotations

from pyfennix.models.interface import Model

REST = 1.5  # Å, length of r0 from H to O


class Spring(Model):
    """k = 2000 kcal/mol/Å²; dimers must stay farther apart than the cutoff."""

    cutoff = 4.0
    elements = (1, 8)
    stiffness = 2000.0

    def forward(self, graph):
        """Half of each spring's energy goes to either end."""
        from_hydrogen = (graph.numbers[graph.receiver] == 1).to(graph.vectors.dtype)
        offset = graph.vectors.new_tensor([REST, 0.0, 0.0])
        stretch = graph.vectors - (2.0 * from_hydrogen - 1.0)[:, None] * offset
        return graph.sum_neighbors(0.25 * self.stiffness * (stretch**2).sum(1))


class Soft(Spring):
    """k_fast / k = 0.6"""

    stiffness = 1200.0


class Close(Spring):
    """k_fast / k = 0.9"""

    stiffness = 1800.0


class Hard(Spring):
    """k_fast / k = 1.2"""

    stiffness = 2400.0
