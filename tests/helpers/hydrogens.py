"""A box of hydrogen molecules with the pair potentials of tests/models, for pyfennix.Simulation."""

import ase
import numpy as np

import pyfennix as fx

from .runs import MODELS

ACCURATE, FAST = f"{MODELS}/pairs.py:Accurate", f"{MODELS}/pairs.py:Fast"
KEY = f"""\
a-axis 12
integrator baoabrespa
ml-model {ACCURATE}
ml-model-fast {FAST}
timestep 1.0
dshort 0.0005
temperature 100
ml-precision float64
ml-threads 1
randomseed 7
"""


def hydrogens(side=12.0, seed=0):
    """27 hydrogen molecules in a cube, as Atoms."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3), -1).reshape(-1, 3) * 4.0 + 1.0
    ends = rng.normal(size=grid.shape)
    ends *= 0.75 / np.linalg.norm(ends, axis=1)[:, None]
    positions = np.stack([grid, grid + ends], 1).reshape(-1, 3)
    return ase.Atoms("H54", positions=positions, cell=[side] * 3, pbc=True)


def make(atoms=None, accurate=ACCURATE, **options):
    options = {"dtype": "float64", "threads": 1, "seed": 7, "temperature": 100.0} | options
    return fx.Simulation(hydrogens() if atoms is None else atoms, accurate, **options)


def two_levels(**options):
    return make(fast=FAST, dt=1.0, substeps=2, **options)
