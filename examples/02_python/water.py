"""The water box of 01_water from Python: two levels, 300 K, 1 ps, and a figure."""

import sys
from pathlib import Path

import ase
import matplotlib.pyplot as plt
import numpy as np

import pyfennix as fx

here = Path(__file__).parent
positions = np.loadtxt(here.parent / "01_water" / "water.xyz", skiprows=1, usecols=(2, 3, 4))
atoms = ase.Atoms("OHH" * 216, positions=positions, cell=[18.643] * 3, pbc=True)
sim = fx.Simulation(atoms, accurate="water-accurate", fast="water-fast", dt=3.0, substeps=3,
                    ensemble="nvt", temperature=300, friction=5.0, seed=2026)
table = []
steps = int(sys.argv[1]) if len(sys.argv) > 1 else 330
for frame in sim.trajectory(steps, every=10):
    table.append((frame.time, frame.temperature))
    print(f"{frame.time:6.3f} ps {frame.temperature:7.1f} K {sim.energy.potential:13.3f} kcal/mol")
(here / "output").mkdir(exist_ok=True)
plt.plot(*np.transpose(table))
plt.savefig(here / "output" / "temperature.png")
