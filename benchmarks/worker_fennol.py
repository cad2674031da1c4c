# SPDX-License-Identifier: MIT
"""FeNNol's side of a benchmark, run by its interpreter: what its MD driver does in a step.

The energy and forces are one compiled function of positions and lists from which the unused
outputs are pruned; the list with its skin is cut by a compiled update, and rebuilt by a compiled
rebuild. Minimum-image lists where the box allows them.

    python worker_fennol.py MODEL BOX.npz THREADS
"""

from __future__ import annotations

import sys
from pathlib import Path

import boxes
import jax
import jax.numpy as jnp
import numpy as np
from flax.core import freeze, unfreeze
from worker import Positions, serve, timed

HARTREE, SKIN = 27.211386024367243, 2.0  # eV; Å, the default of its driver


class Case:
    """A model and a box, pair lists with and without skin."""

    def __init__(self, model: str, box: str):
        from fennol import FENNIX

        self.model = FENNIX.load(model)
        self.numbers, exact, self.cell = boxes.load(box)
        self.positions = Positions(exact)
        function = self.model._energy_and_forces
        self.energy_and_forces = jax.jit(lambda variables, inputs: function(variables, inputs)[:2])
        self.exact_list = self._listed(0.0)[1]
        self.state, self.skin_list = self._listed(SKIN)
        self.rebuilt = None

    def _listed(self, skin: float) -> tuple:
        """State of the preprocessing, and inputs with their lists."""
        inputs = {
            "species": self.numbers.astype(np.int32),
            "coordinates": self.positions.exact.astype(np.float32),
            "natoms": np.array([len(self.numbers)], np.int32),
            "batch_index": np.zeros(len(self.numbers), np.int32),
            "total_charge": np.zeros(1, np.float32),
            "cells": self.cell[None].astype(np.float32),
            "reciprocal_cells": np.linalg.inv(self.cell)[None].astype(np.float32),
        }
        # its driver's default, wrong in a box narrower than two cutoffs
        nearest_only = bool(self.cell.diagonal().min() > 2 * self.model.cutoff)
        if nearest_only:
            inputs["flags"] = {"minimum_image": None}
        state = unfreeze(self.model.preproc_state)
        layers = [unfreeze(layer) | {"minimum_image": nearest_only}
                  | ({"nblist_skin": skin} if skin else {}) for layer in state["layers_state"]]
        state |= {"layers_state": tuple(map(freeze, layers)), "check_input": False}
        return self.model.preprocessing(freeze(state), inputs)

    def _at(self, inputs: dict, positions: np.ndarray) -> dict:
        moved = {**inputs, "coordinates": jnp.asarray(positions, jnp.float32)}
        return jax.block_until_ready(moved)

    def _run(self, inputs: dict):
        return jax.block_until_ready(self.energy_and_forces(self.model.variables, inputs))

    def check(self) -> dict:
        """Energy (eV) and largest force (eV/Å) of the undisturbed box."""
        energy, forces = self._run(self._at(self.exact_list, self.positions.exact))
        unit = {"ev": 1.0, "ha": HARTREE}[self.model.energy_unit.lower()]
        return {"energy": float(energy[0]) * unit,
                "force": float(np.linalg.norm(forces, axis=1).max()) * unit}

    def evaluate(self) -> dict:
        """One evaluation on a list that is there."""
        inputs = self._at(self.exact_list, self.positions.next())
        return timed(lambda: self._run(inputs))

    def step(self) -> dict:
        """Cut the list with skin to the cutoff, then evaluate."""
        inputs = self._at(self.skin_list, self.positions.next())
        return timed(lambda: self._run(self.model.preprocessing.update_skin(inputs)))

    def rebuild(self) -> dict:
        """The full list with its skin anew."""
        inputs = self._at(self.skin_list, self.positions.next())

        def build() -> None:
            found = self.model.preprocessing.process(self.state, inputs)
            jax.block_until_ready(self.model.preprocessing.check_reallocate(self.state, found)[2])

        return timed(build)


def main() -> None:
    """Serve until the parent leaves."""
    jax.config.update("jax_default_matmul_precision", "highest")
    # compiling takes longer than measuring: keep what was compiled between runs
    jax.config.update("jax_compilation_cache_dir", str(Path(sys.prefix) / "xla-cache"))
    case = Case(*sys.argv[1:3])
    serve({name: getattr(case, name) for name in ("check", "evaluate", "step", "rebuild")})


if __name__ == "__main__":
    main()
