# SPDX-License-Identifier: MIT
"""The least an evaluation must do: operations, bytes, and the time this machine needs for them.

    python benchmarks/floor.py [--atoms 648] [--threads 1]

Counted is one evaluation of energy and forces of water with everything that is constant along a
run taken out (species networks, charge hypotheses, queries, keys and values of the first layer),
with no work on what the energy does not depend on, and nothing stored that can be recomputed.
A multiply-add is two operations; exponentials, roots and divisions count as TRANSCENDENTAL. The
backward pass through a linear layer costs as much as the layer (no gradients of weights). The
time is that of the operations at the rate of a large matrix product, or of the bytes at the rate
of a large copy, whichever is longer: neither gathers nor branches nor calls are in it.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import boxes
import numpy as np
import torch

from pyfennix.models.pairs import build_pairs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools" / "fennol"))
import itertools

from architectures import ANI_DESCRIPTORS, ANI_NETWORKS, architecture

TRANSCENDENTAL = 15  # operations
FLOAT = 4  # bytes
LIST_ENTRY = 2 * FLOAT + 3 * FLOAT  # two indices and a vector


@dataclass
class Count:
    """Operations on atoms (matrix products), on pairs and triples, and bytes moved."""

    dense: float = 0.0
    pairs: float = 0.0
    bytes: float = 0.0

    def layers(self, rows: float, widths: Sequence[int]) -> None:
        """A network on so many rows, forward and backward, its weights read twice."""
        products = sum(a * b for a, b in itertools.pairwise(widths))
        self.dense += 4.0 * rows * products
        self.pairs += 2.0 * rows * sum(widths[1:]) * TRANSCENDENTAL
        self.bytes += 2 * FLOAT * (products + rows * (widths[0] + widths[-1]))


@dataclass
class System:
    """Atoms by element, and how many pairs are closer than some distance."""

    elements: dict[str, int]
    pairs_within: Callable[[float], int]
    triples_within: Callable[[float], int]

    @property
    def atoms(self) -> int:
        """All of them."""
        return sum(self.elements.values())


def raster(name: str, system: System) -> Count:
    """One of the FeNNix-Bio1 shapes."""
    description = architecture(name)
    modules = dict(description["modules"])
    p = modules["embedding"]
    long_range = "graph_lode" in p
    count = Count()
    short = system.pairs_within(3.5)
    components = (p["lmax"] + 1) ** 2
    count.bytes += 2 * LIST_ENTRY * short  # forward and backward
    # distance, direction, harmonics, basis, switches, and their derivatives
    count.pairs += 2 * short * (10 * components + (p["radial_basis"]["dim"] + 8) * TRANSCENDENTAL)
    for layer in range(p["nlayers"]):
        _raster_layer(count, p, system, short, layer, long_range and layer == p["nlayers"] - 1)
    # the mean of an ensemble of linear layers is one linear layer
    count.layers(system.atoms, [p["dim"], *modules["nn_energies"]["hidden_neurons"], 1])
    count.pairs += 2 * short * 3 * (TRANSCENDENTAL + 4)  # repulsion
    if long_range:
        _lode(count, p, system, system.pairs_within(description["cutoff"]))
    return count


def _raster_layer(count: Count, p: dict, system: System, short: int, layer: int,
                  with_lode: bool) -> None:
    """One attention layer and its update network."""
    n, degrees, a, scalar, tensor = (system.atoms, p["lmax"] + 1, p["att_dim"], p["scal_heads"],
                                     p["tens_heads"])
    components = degrees**2
    heads = scalar + degrees * tensor * (1 if layer == 0 else 2)
    if layer > 0:  # in the first layer these are constants of the elements
        count.layers(n, [p["dim"], 2 * heads * a + scalar * a + a])
    edge = p["radial_basis"]["dim"] + (degrees * tensor if layer else 0)
    count.pairs += 4.0 * short * (edge * 2 * a + 2 * a * a) + 6 * short * a * TRANSCENDENTAL
    # products of query, key and distance features: forward, then to each factor
    count.pairs += short * heads * (3 * a + (9 * a if layer else 3 * a) + 2 * TRANSCENDENTAL)
    count.pairs += short * 6.0 * scalar * (a if layer else len(system.elements))
    count.pairs += short * 6.0 * tensor * components * (3 if layer else 1)
    inputs = a + scalar * a + degrees * tensor + (6 * p["lode_channels"] if with_lode else 0)
    last = layer == p["nlayers"] - 1
    count.layers(n, [inputs, *p["update_hidden"], p["dim"] + (0 if last else degrees * tensor)])


def _lode(count: Count, p: dict, system: System, long: int) -> None:
    """Damped multipoles: radial functions times harmonics times what each neighbour carries."""
    radial = len(p["lode_extra_powers"]) + p["lmax_lode"] + 1
    sums = len(p["lode_extra_powers"]) + (p["lmax_lode"] + 1) ** 2
    count.bytes += 2 * LIST_ENTRY * long
    count.pairs += 2 * long * (radial * 6 + 3 * TRANSCENDENTAL + 30)
    count.pairs += long * 6.0 * p["lode_channels"] * sums
    count.layers(system.atoms, [p["dim"], p["lode_channels"] * radial])


def ani(name: str, system: System) -> Count:
    """A single network of the ANI family."""
    p, networks, count = ANI_DESCRIPTORS[name], ANI_NETWORKS[name], Count()
    kinds = len(networks)
    long, triples = system.pairs_within(p["cutoff"]), system.triples_within(3.5)
    count.bytes += 2 * LIST_ENTRY * long
    count.pairs += long * (2 * TRANSCENDENTAL + p["radial_dist_divisions"] * (8 + TRANSCENDENTAL))
    shells, sections = p["angular_dist_divisions"], p["angle_sections"]
    power = 2 * math.log2(p["zeta"])
    count.pairs += triples * (2 * (shells * (6 + TRANSCENDENTAL) + sections * (8 + power))
                              + 6 * shells * sections + 3 * TRANSCENDENTAL)
    width = kinds * p["radial_dist_divisions"] + kinds * (kinds + 1) // 2 * shells * sections
    for symbol, n in system.elements.items():
        count.layers(n, [width, *networks[symbol], 1])
    return count


def box_of_water(n_atoms: int) -> System:
    """Counts of the box that all benchmarks use."""
    numbers, positions, cell = boxes.water_box(n_atoms)

    def neighbors(cutoff: float) -> np.ndarray:
        return np.diff(build_pairs(positions, cell, cutoff)[0])

    return System(
        {"O": int((numbers == 8).sum()), "H": int((numbers == 1).sum())},
        lambda cutoff: int(neighbors(cutoff).sum()),
        lambda cutoff: int((neighbors(cutoff) * (neighbors(cutoff) - 1) // 2).sum()),
    )


def matmul_rate() -> float:
    """Operations a second of a float32 product of the sizes that occur, best of many."""
    a, b = torch.randn(2048, 352), torch.randn(352, 352)
    return 2.0 * 2048 * 352 * 352 / _best(lambda: a @ b)


def copy_rate() -> float:
    """Bytes a second, read and written, far beyond the caches."""
    source = torch.ones(32_000_000)
    target = torch.empty_like(source)
    return 2.0 * FLOAT * source.numel() / _best(lambda: target.copy_(source))


def _best(call: Callable[[], object]) -> float:
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.quantiles(times, n=10)[0]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=648)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rate, bandwidth, system = matmul_rate(), copy_rate(), box_of_water(options.atoms)
    print(f"{system.atoms} atoms, {options.threads} threads: matrix products "
          f"{rate / 1e9:.0f} Gop/s, copies {bandwidth / 1e9:.1f} GB/s")
    print(f"{'model':10s}{'dense Mop':>11s}{'pairs Mop':>11s}{'MB':>7s}{'ms (op)':>9s}"
          f"{'ms (bytes)':>11s}{'floor ms':>10s}")
    for name in ("bio1M", "bio1S", "distilled", "ani1x"):
        count = ani(name, system) if name == "ani1x" else raster(name, system)
        times = 1e3 * (count.dense + count.pairs) / rate, 1e3 * count.bytes / bandwidth
        print(f"{name:10s}{count.dense / 1e6:11.0f}{count.pairs / 1e6:11.0f}"
              f"{count.bytes / 1e6:7.1f}{times[0]:9.1f}{times[1]:11.1f}{max(times):10.1f}")


if __name__ == "__main__":
    main()
