"""A Langevin run of water samples the canonical kinetic energy, seen mid-step."""

from __future__ import annotations

import h5py
import numpy as np
import physical_validation as pv
import pytest
from helpers.runs import dynamic, write_xyz
from helpers.waters import cubic, waters

pytestmark = [pytest.mark.physics, pytest.mark.slow]

TEMPERATURE = 300.0
KEYWORDS = """\
a-axis {side}
integrator baoab
ml-model water-fast
ml-precision float64
friction 30.0
randomseed 3
minimize
minimize-rms 3.0
noarchive
restart-files off
save-velocity off
save-force off
"""


@pytest.fixture(scope="module")
def water(tmp_path_factory):
    """Log and observables of 27 waters, 4 ps at 1 fs; each 10 steps, without the first 0.5 ps."""
    folder = tmp_path_factory.mktemp("water")
    numbers, positions = waters(cubic(27), (3, 3, 3))
    write_xyz(folder / "water.xyz", numbers, positions)
    (folder / "water.key").write_text(KEYWORDS.format(side=cubic(27)[0, 0]))
    done = dynamic(folder, "water", 4000, 1.0, 0.01, 2, TEMPERATURE, timeout=600)
    assert done.returncode == 0, done.stderr
    with h5py.File(folder / "water.h5", "r") as file:
        values = {name: group["value"][50:] for name, group in file["observables"].items()}
    return done.stdout, values


@pytest.fixture
def observables(water):
    return water[1]


def test_the_log_shows_both_temperatures_by_element(water):
    table = water[0].split("Temperature by element")[1].splitlines()
    assert "on-step" in table[0]
    assert "mid-step" in table[0]
    for line, element in zip(table[1:3], ("H", "O"), strict=True):
        assert line.split()[0] == element
        assert len([word for word in line.split() if word.replace(".", "").isdigit()]) >= 2


def test_kinetic_energy_is_canonical(observables):
    """physical_validation: mean and width within three standard deviations of the gamma law."""
    numbers, _ = waters(cubic(27), (3, 3, 3))
    kcal = pv.data.UnitData(
        kb=8.31446261815324 / 4184.0, energy_str="kcal/mol", energy_conversion=4.184,
        length_str="A", length_conversion=0.1, volume_str="A^3", volume_conversion=1e-3,
        temperature_str="K", temperature_conversion=1.0, pressure_str="atm",
        pressure_conversion=1.01325, time_str="ps", time_conversion=1.0)
    data = pv.data.SimulationData(
        units=kcal,
        ensemble=pv.data.EnsembleData("NVT", natoms=len(numbers), temperature=TEMPERATURE,
                                      volume=float(np.linalg.det(cubic(27)))),
        system=pv.data.SystemData(natoms=len(numbers), nconstraints=0, ndof_reduction_tra=0,
                                  ndof_reduction_rot=0),
        observables=pv.data.ObservableData(kinetic_energy=observables["kinetic_energy_mid"]))
    mean, width = pv.kinetic_energy.distribution(
        data, strict=False, verbosity=0, bs_repetitions=200, bootstrap_seed=1)
    assert abs(mean) < 3.0
    assert abs(width) < 3.0


def block_error(values, blocks=20):
    """Standard error of a mean from block averages."""
    means = [block.mean() for block in np.array_split(values, blocks)]
    return np.std(means, ddof=1) / np.sqrt(blocks)


@pytest.mark.parametrize("element", ["", "_O", "_H"])
def test_mid_step_temperature_is_the_thermostats(observables, element):
    values = observables[f"temperature_mid{element}"]
    assert abs(values.mean() - TEMPERATURE) < 3.0 * block_error(values)


def test_on_step_velocities_under_report_fast_modes(observables):
    """(omega h)²/4 of the stretches, 10 % at 1 fs, and less of the rest: a few per cent for H."""
    ratio = observables["temperature_H"].mean() / observables["temperature_mid_H"].mean()
    assert 0.90 < ratio < 0.98
