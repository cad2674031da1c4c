# SPDX-License-Identifier: MIT
"""Which shape of fast model costs how much less than the accurate one, at 648 atoms of water.

    python benchmarks/fast_shapes.py [--turns 9] [--threads 1]

All shapes are evaluated in turns in one process, on lists with a skin, as in a run: energy and
forces, float32, random weights. The accurate model has the shape of FeNNix-Bio1 M. Costs are
medians of process CPU time, which other users of the machine disturb least.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import boxes
import torch

from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.graph import Topology
from pyfennix.models.memory import keep_freed_memory
from pyfennix.models.pairs import build_pairs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools" / "fennol"))
from architectures import architecture, resized

N_ATOMS, SKIN = 648, 1.0  # Å
AIM = 10.0


@dataclass
class Shape:
    """Sizes of a one-layer RASTER; the defaults are those of the distilled FeNNix-Bio1."""

    dim: int = 176
    update: tuple[int, ...] = (352, 176)
    scalar: int = 8
    tensor: int = 1
    lmax: int = 3
    att_dim: int = 16
    radial: int = 10
    head: tuple[int, ...] = (176, 176)
    members: int = 64

    def model(self) -> FennixModel:
        """Such a model with random weights."""
        embedding = {
            "dim": self.dim, "update_hidden": list(self.update), "scal_heads": self.scalar,
            "tens_heads": self.tensor, "lmax": self.lmax, "att_dim": self.att_dim,
            "radial_basis": {"dim": self.radial, "basis": "bessel", "trainable": False},
        }  # fmt: skip
        return FennixModel(resized("distilled", embedding, [256], list(self.head), self.members))

    def __str__(self) -> str:
        wide = "-".join(map(str, (*self.update, self.dim)))
        head = "-".join(map(str, (*self.head, self.members)))
        return (f"{self.dim:5d}{wide:>14s}{self.scalar:5d}{self.tensor:4d}{self.lmax:5d}"
                f"{self.att_dim:5d}{self.radial:7d}{head:>12s}")


DISTILLED = Shape()
LEAN = replace(DISTILLED, head=(64,), members=8)
SHAPES = [
    DISTILLED,
    replace(DISTILLED, members=8),
    replace(DISTILLED, lmax=2), replace(DISTILLED, lmax=1),
    replace(DISTILLED, scalar=4), replace(DISTILLED, att_dim=8), replace(DISTILLED, radial=6),
    LEAN,
    replace(LEAN, update=(176,)),
    replace(LEAN, dim=128, update=(128,)),
    replace(LEAN, dim=96, update=(96,)),
    replace(LEAN, dim=64, update=(64,)),
    replace(LEAN, dim=128, update=(128,), lmax=2, att_dim=8),
    replace(LEAN, dim=96, update=(96,), lmax=2, att_dim=8),
    replace(LEAN, dim=64, update=(64,), lmax=2, att_dim=8),
    replace(LEAN, dim=64, update=(64,), lmax=2, scalar=4, att_dim=8),
    replace(LEAN, dim=48, update=(48,), lmax=1, scalar=4, att_dim=8),
    replace(LEAN, dim=32, update=(32,), head=(32,), lmax=1, scalar=4, att_dim=8),
]  # fmt: skip
HEAD = (f"{'dim':>5s}{'update':>14s}{'scal':>5s}{'ten':>4s}{'lmax':>5s}{'att':>5s}{'radial':>7s}"
        f"{'head':>12s}{'parameters':>12s}{'of water':>10s}{'ms':>8s}{'ratio':>7s}")


class Case:
    """A model on the box, and what its evaluations cost."""

    def __init__(self, model: FennixModel, box: tuple):
        numbers, positions, cell = box
        self.model = model.eval().requires_grad_(False)
        lists = build_pairs(positions, cell, model.cutoff + SKIN)
        n = len(numbers)
        self.arguments = (Topology.from_csr(numbers, *lists, n, n, n), torch.tensor(positions),
                          torch.tensor(cell))
        self.seconds: list[float] = []

    def evaluate(self) -> None:
        """Once more, at disturbed positions."""
        topology, positions, cell = self.arguments
        positions = positions + 0.01 * torch.randn_like(positions)
        begin = time.process_time()
        evaluate_topology(self.model, topology, positions, cell, True, False)
        self.seconds.append(time.process_time() - begin)

    @property
    def cost(self) -> float:
        """Median in ms, without the first evaluations."""
        return 1e3 * statistics.median(self.seconds[2:])

    def parameters(self) -> str:
        """Of all elements, and those that water needs."""
        sizes = {name: p.numel() for name, p in self.model.named_parameters()}
        water = sum(size for name, size in sizes.items() if not _of_another_block(name))
        return f"{sum(sizes.values()):12d}{water:10d}"


def _of_another_block(name: str) -> bool:
    """Whether a parameter belongs to elements that water does not have, or to no energy."""
    parts = name.split(".")
    if "nn_energies_bis" in parts:
        return True
    owner = next((k for k, part in enumerate(parts)
                  if part.startswith(("update_net_", "nn_energies"))), None)
    return owner is not None and parts[owner + 1] not in ("H", "O")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    keep_freed_memory()
    box = boxes.water_box(N_ATOMS)
    accurate = Case(FennixModel(architecture("bio1M")), box)
    cases = [Case(shape.model(), box) for shape in SHAPES]
    for _ in range(options.turns + 2):
        for case in (accurate, *cases):
            case.evaluate()
    print(f"{N_ATOMS} atoms, {options.threads} threads; accurate (FeNNix-Bio1 M): "
          f"{accurate.cost:.2f} ms CPU, parameters{accurate.parameters()}")
    print(HEAD)
    for shape, case in zip(SHAPES, cases, strict=True):
        ratio = accurate.cost / case.cost
        mark = f"  {AIM:.0f} times cheaper" if ratio >= AIM else ""
        print(f"{shape}{case.parameters()}{case.cost:8.2f}{ratio:7.2f}{mark}")


if __name__ == "__main__":
    main()
