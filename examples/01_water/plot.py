"""Figure of a water run: temperature and energies over time, and g(r) of the oxygens.

Usage: python plot.py water.h5 water.png
"""

import sys

import h5py
import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def radial_distribution(file, bins=75, reach=7.5, discard=0.5):
    """Distances (Å) and g of the oxygen-oxygen pairs, without the first part of the frames."""
    group = file["particles/trajectory"]
    oxygen = group["species"][()] == 8
    positions = group["position/value"][:, oxygen].astype(float)
    cells = group["box/edges/value"][()]
    skip = int(discard * len(positions))
    counts = np.zeros(bins)
    for x, cell in zip(positions[skip:], cells[skip:], strict=True):
        difference = (x[:, None] - x[None, :]) @ np.linalg.inv(cell)
        difference -= np.round(difference)
        distances = np.linalg.norm(difference @ cell, axis=-1)[np.triu_indices(len(x), 1)]
        counts += np.histogram(distances, bins, (0.0, reach))[0]
    edges = np.linspace(0.0, reach, bins + 1)
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    n, frames = positions.shape[1], len(positions) - skip
    expected = frames * n * (n - 1) / 2 * shells / np.linalg.det(cells[-1])
    return 0.5 * (edges[1:] + edges[:-1]), counts / expected


def main(source, target):
    """Three panels."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    with h5py.File(source, "r") as file:
        time = file["particles/trajectory/position/time"][()]

        def observable(name):
            return file[f"observables/{name}/value"][()]

        axes[0].plot(time, observable("temperature_mid"), label="mid-step (canonical)")
        axes[0].plot(time, observable("temperature"), alpha=0.5, label="on-step")
        axes[0].set(xlabel="time (ps)", ylabel="temperature (K)")
        for name in ("potential", "total", "conserved"):
            energy = observable(f"{name}_energy")
            axes[1].plot(time, energy - energy[0], label=name)
        axes[1].set(xlabel="time (ps)", ylabel="energy - start (kcal/mol)")
        axes[2].plot(*radial_distribution(file))
        axes[2].set(xlabel="O-O distance (Å)", ylabel="g(r)")
    for axis in axes[:2]:
        axis.legend()
    figure.savefig(target, dpi=150)


if __name__ == "__main__":
    main(*sys.argv[1:3])
