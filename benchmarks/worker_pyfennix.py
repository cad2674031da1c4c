# SPDX-License-Identifier: MIT
"""Our side of a benchmark: evaluations and pair lists, as a run does them.

    python worker_pyfennix.py MODEL BOX.npz THREADS
"""

from __future__ import annotations

import sys

import boxes
import torch
from worker import Positions, serve, timed

import pyfennix
from pyfennix import units
from pyfennix.callback import ProviderHandle
from pyfennix.engine import Engine
from pyfennix.host import Attachment
from pyfennix.models.evaluate import evaluate_topology
from pyfennix.models.graph import Topology
from pyfennix.models.pairs import build_pairs

SKIN = 1.0  # Å, the engine's default
REBUILD_SKIN = 2.0  # Å, FeNNol's default: both rebuild the same list


class Case:
    """A model and a box, pair lists with and without skin."""

    def __init__(self, model: str, box: str):
        self.model = pyfennix.load_model(model)
        self.numbers, exact, self.cell = boxes.load(box)
        self.positions = Positions(exact)
        self.lattice = torch.tensor(self.cell)
        self.exact_list, self.skin_list = (self._topology(skin) for skin in (0.0, SKIN))
        self._engine: Engine | None = None
        self._lists: tuple = ()

    def _found(self, skin: float) -> tuple:
        return build_pairs(self.positions.exact, self.cell, self.model.cutoff + skin)

    def _topology(self, skin: float) -> Topology:
        n = len(self.numbers)
        return Topology.from_csr(self.numbers, *self._found(skin), n, n, n)

    def _evaluate(self, topology: Topology, positions: torch.Tensor):
        return evaluate_topology(self.model, topology, positions, self.lattice, True, False)

    def check(self) -> dict:
        """Energy (eV) and largest force (eV/Å) of the undisturbed box."""
        result = self._evaluate(self.skin_list, torch.tensor(self.positions.exact))
        unit = units.energy_in_kcal(self.model.energy_unit) / units.EV_IN_KCAL
        return {"energy": float(result.energy) * unit,
                "force": float(result.forces.norm(dim=1).max()) * unit}

    def evaluate(self) -> dict:
        """One evaluation on a list without skin."""
        positions = torch.tensor(self.positions.next())
        return timed(lambda: self._evaluate(self.exact_list, positions))

    def step(self) -> dict:
        """The same as in a run: the list has a skin and is cut to the cutoff."""
        positions = torch.tensor(self.positions.next())
        return timed(lambda: self._evaluate(self.skin_list, positions))

    def rebuild(self) -> dict:
        """The engine's full rebuild of the pair list and what is made of it in Python.

        Moving the atoms of an engine by half a skin and more makes it rebuild its list; moving
        them by less does all the rest. The difference is the list.
        """
        if self._engine is None:
            self._engine, self._lists = self._started(), self._found(REBUILD_SKIN)
        here = self._engine.get("position")
        kept = timed(lambda: self._engine.set("position", here))
        # every atom by 0.6 skins and back
        there = self.positions.exact + 0.6 * REBUILD_SKIN
        there = self.positions.exact if abs(here - there).max() < 0.1 else there
        moved = timed(lambda: self._engine.set("position", there))
        n = len(self.numbers)
        topology = timed(lambda: Topology.from_csr(self.numbers, *self._lists, n, n, n))
        return {key: moved[key] - kept[key] + topology[key] for key in moved}

    def _started(self) -> Engine:
        """An engine whose model does nothing but ask for this list."""
        keywords = ("ml-model null\nensemble nve\ntimestep 1.0\ntemperature 300\n"
                    f"list-buffer {REBUILD_SKIN}\n")
        engine = Engine.from_arrays(["bench"], keywords, "", self.numbers, self.positions.exact,
                                    None, None, self.cell)
        engine.attach(Attachment([ProviderHandle(_nothing, "null", self.model.cutoff)]))
        engine.prepare()
        return engine


def _nothing(_request: object, _result: object, arrays: object) -> float:
    arrays.forces.zero_()
    return 0.0


def main() -> None:
    """Serve until the parent leaves."""
    torch.set_num_threads(int(sys.argv[3]))
    case = Case(*sys.argv[1:3])
    serve({name: getattr(case, name) for name in ("check", "evaluate", "step", "rebuild")})


if __name__ == "__main__":
    main()
