"""A potential of one's own: declare it, and return one energy per atom."""

from pyfennix import Model


class Argon(Model):
    """Lennard-Jones argon, switched off smoothly between 7 and 8 Å."""

    cutoff = 8.0  # Å
    energy_unit = "kcal/mol"
    elements = (18,)

    def forward(self, graph):
        """Energies of the atoms: half of each pair's energy, summed over the neighbours."""
        d = graph.distances
        s6 = (3.405 / d) ** 6
        pair = 4.0 * 0.238 * (s6 * s6 - s6)
        x = (d - 7.0).clamp(0.0, 1.0)
        switch = 1.0 - x**3 * (10.0 - 15.0 * x + 6.0 * x**2)
        return graph.sum_neighbors(0.5 * pair * switch)
