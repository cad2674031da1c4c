# SPDX-License-Identifier: MIT
"""Expected efficiency on many ranks: ghosts, pairs, messages and bytes from the engine's own code.

Usage: python benchmarks/scaling_model.py [--plot docs/scaling.png] [--json FILE]
       [--accurate US] [--fast US] [--fixed MS MS] [--latency US] [--bandwidth GB/s] [--substeps 3]

Water of 10⁴ to 10⁷ atoms is cut into bricks for 1 to 4096 ranks by the decomposition that real
runs use; some ranks are looked at, and what they see is counted. A step is then taken to last as
long as the models work on what they evaluate, with a cost per atom, per ghost and per call, plus
messages at the given latency and bandwidth.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from pyfennix.virtual_ranks import VirtualRanks

WATER = Path(__file__).resolve().parents[1] / "examples" / "01_water" / "water.xyz"
EDGE = 18.643
REPEATS = {10_368: (4, 2, 2), 82_944: (8, 4, 4), 1_026_432: (12, 12, 11), 9_720_000: (25, 25, 24)}
RANKS = (1, 8, 64, 512, 4096)
FEWEST, MOST = 20, 200_000  # atoms on a rank: others nobody would run
SKIN = 1.0
# Å; water-accurate: list, how far energies see, how far ghosts need neighbours; water-fast: list
ACCURATE, RANGE, CENTERS, FAST = 7.0, 11.2, 7.0, 3.5
WIDTH = 100  # numbers of a row of features that water-accurate exchanges
SAMPLES = 4


def box(repeats: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The water of the example, repeated."""
    positions = np.loadtxt(WATER, skiprows=1, usecols=(2, 3, 4))
    cells = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), -1).reshape(-1, 3)
    everywhere = (positions[None] + EDGE * cells[:, None]).reshape(-1, 3)
    numbers = np.tile([8, 1, 1], len(everywhere) // 3)
    return numbers, everywhere, np.diag(EDGE * np.array(repeats, dtype=float))


def census(system, n_ranks: int, rng) -> dict[str, float]:
    """Means over some ranks of what each sees at either level, with wide halo and with exchange."""
    ranks = VirtualRanks(*system, n_ranks, halo=ACCURATE + SKIN)
    found: dict[str, list[float]] = {}
    for rank in rng.choice(n_ranks, min(SAMPLES, n_ranks), replace=False):
        for name, width, centers, cutoff in (
                ("wide", RANGE, CENTERS + SKIN, ACCURATE), ("exchange", ACCURATE, -1.0, ACCURATE),
                ("fast", FAST, -1.0, FAST)):
            view = ranks.see(int(rank), width + SKIN, cutoff + SKIN, centers)
            for key, value in (("own", view.n_local), ("centers", view.n_center),
                               ("ghosts", view.n_total - view.n_local), ("pairs", view.n_edges),
                               ("peers", view.n_peers)):
                found.setdefault(f"{name} {key}", []).append(value)
    row = {key: float(np.mean(values)) for key, values in found.items()}
    return row | {"bricks": "x".join(map(str, ranks.bricks)), "most": float(ranks.owned.max())}


def message_cost(peers: float, bytes_: float, options: argparse.Namespace) -> float:
    """Microseconds to send or receive so much, once."""
    return peers * options.latency + bytes_ / (options.bandwidth * 1e3)


def step_cost(row: dict[str, float], exchange: bool,
              options: argparse.Namespace) -> dict[str, float]:
    """Microseconds of an outer step: models, communication, messages and bytes of one rank."""
    name = "exchange" if exchange else "wide"
    slowest = row["most"] / max(row["wide own"], 1.0)
    centers = row["exchange own"] if exchange else row["wide centers"]
    models = slowest * (centers * options.accurate
                        + options.substeps * row["wide own"] * options.fast)
    models += fixed_cost(options) + row[f"{name} ghosts"] * options.ghost
    rounds = [(row[f"{name} peers"], 24.0 * row[f"{name} ghosts"])] * 2  # positions, forces
    if exchange:
        rounds += [(row["exchange peers"], 4.0 * WIDTH * row["exchange ghosts"])] * 2
    rounds += [(row["fast peers"], 24.0 * row["fast ghosts"])] * (2 * options.substeps)
    reductions = (1 + options.substeps) * options.latency * 2.0 * np.log2(max(options.ranks, 2))
    talk = 0.0 if options.ranks == 1 else reductions + sum(
        message_cost(*part, options) for part in rounds)
    messages = 0 if options.ranks == 1 else sum(peers for peers, _ in rounds)
    return {"models": models, "talk": talk, "messages": messages,
            "bytes": sum(size for _, size in rounds) if options.ranks > 1 else 0.0}


def fixed_cost(options: argparse.Namespace) -> float:
    """Microseconds of an outer step that no decomposition makes smaller."""
    return 1e3 * (options.fixed[0] + options.substeps * options.fixed[1])


def table(options: argparse.Namespace) -> list[dict]:
    """All systems and ranks; efficiency against one rank of the same system."""
    rows, rng = [], np.random.default_rng(1)
    for n, repeats in REPEATS.items():
        if n > options.most:
            continue
        system, alone = box(repeats), {}
        for n_ranks in RANKS:
            if not FEWEST <= n / n_ranks <= MOST:
                continue
            row = census(system, n_ranks, rng)
            options.ranks = n_ranks
            for exchange in (True, False):
                cost = step_cost(row, exchange, options)
                serial = n * (options.accurate + options.substeps * options.fast)
                serial += fixed_cost(options)
                total = cost["models"] + cost["talk"]
                alone[exchange] = serial / (n_ranks * total)
                prefix = "exchange" if exchange else "wide"
                row |= {f"{prefix} {key}": value for key, value in cost.items()}
                row[f"{prefix} efficiency"] = alone[exchange]
            rows.append({"atoms": n, "ranks": n_ranks} | row)
            show(rows[-1])
    return rows


def show(row: dict) -> None:
    """One line of the table."""
    print(f"| {row['atoms']:,} | {row['ranks']} | {row['bricks']} | {row['wide own']:,.0f} | "
          f"{row['exchange ghosts']:,.0f} / {row['wide ghosts']:,.0f} | "
          f"{row['exchange pairs']:,.0f} / {row['wide pairs']:,.0f} | "
          f"{row['exchange messages']:.0f} / {row['wide messages']:.0f} | "
          f"{row['exchange bytes'] / 1e3:,.0f} / {row['wide bytes'] / 1e3:,.0f} | "
          f"{100 * row['exchange efficiency']:.0f} % / {100 * row['wide efficiency']:.0f} % |",
          flush=True)


def plot(rows: list[dict], path: Path) -> None:
    """Efficiency against ranks, a line for each system."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5))
    for k, n in enumerate(dict.fromkeys(row["atoms"] for row in rows)):
        some = [row for row in rows if row["atoms"] == n]
        ranks = [row["ranks"] for row in some]
        for halo, style in (("exchange", "-o"), ("wide", ":s")):
            axes.plot(ranks, [row[f"{halo} efficiency"] for row in some], style, color=f"C{k}",
                      label=f"{n:,} atoms, {halo}")
    axes.set_xscale("log", base=2)
    axes.set_xlabel("ranks")
    axes.set_ylabel("expected parallel efficiency")
    axes.set_ylim(0, 1.05)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Print the table, plot it if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accurate", type=float, default=40.0, help="µs an atom and evaluation")
    parser.add_argument("--fast", type=float, default=9.0, help="µs an atom and evaluation")
    parser.add_argument("--fixed", type=float, nargs=2, default=(2.7, 1.4),
                        help="ms of an evaluation of either model that do not depend on atoms")
    parser.add_argument("--ghost", type=float, default=0.6, help="µs a ghost and evaluation")
    parser.add_argument("--substeps", type=int, default=3, help="inner steps in an outer one")
    parser.add_argument("--latency", type=float, default=2.0, help="µs a message")
    parser.add_argument("--bandwidth", type=float, default=10.0, help="GB/s of a rank")
    parser.add_argument("--most", type=int, default=10_000_000, help="largest system")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print("| atoms | ranks | bricks | own atoms | ghosts, exchange / wide | pairs | messages "
          "| kB a step | efficiency |\n|---|---|---|---|---|---|---|---|---|")
    rows = table(options)
    if options.plot:
        plot(rows, options.plot)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
