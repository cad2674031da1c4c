# SPDX-License-Identifier: MIT
"""ASE calculators as models, alone and beside models of ours on two levels."""

import ase
import h5py
import numpy as np
import pytest
from ase.calculators.calculator import Calculator as AseCalculator
from ase.calculators.lj import LennardJones
from ase.calculators.tip3p import TIP3P
from helpers.hydrogens import ACCURATE, hydrogens, make
from helpers.requests import Case, message
from helpers.runs import box_keywords, dynamic, small_case, write_xyz
from helpers.waters import cubic, waters

import pyfennix as fx
from pyfennix import units
from pyfennix.callback import make_provider


class Constant(AseCalculator):
    """What a test wants an ASE calculator to return."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, energy=0.0, forces=None, stress=None, error=None):
        super().__init__()
        self.given = energy, forces, stress
        self.error = error
        self.seen = []

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        self.seen.append(dict(atoms.info))
        if self.error:
            raise self.error
        energy, forces, stress = self.given
        forces = np.zeros((len(atoms), 3)) if forces is None else forces
        stress = np.zeros(6) if stress is None else stress
        self.results = {"energy": energy, "forces": forces, "stress": stress}


def argon(periodic):
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(*[np.arange(2)] * 3), -1).reshape(-1, 3) * 3.8
    cell = np.array([[7.9, 0, 0], [0.5, 8.0, 0], [-0.3, 0.2, 7.8]])
    return ase.Atoms("Ar8", grid + 0.2 * rng.normal(size=(8, 3)), pbc=periodic,
                     cell=cell if periodic else None)


@pytest.mark.parametrize("periodic", [False, True])
def test_an_ase_calculator_is_a_model(periodic):
    """Energy, forces and virial in our units are what ASE says, and dE/dstrain by differences."""
    atoms = argon(periodic)
    atoms.calc = LennardJones(sigma=3.4, epsilon=0.0104, rc=7.0, smooth=True)
    model = fx.load_model(LennardJones(sigma=3.4, epsilon=0.0104, rc=7.0, smooth=True))
    cell = np.array(atoms.cell) if periodic else None
    found = fx.evaluate(model, atoms.numbers, atoms.positions, cell)
    assert found.energy == pytest.approx(atoms.get_potential_energy() * units.EV_IN_KCAL)
    np.testing.assert_allclose(found.forces, atoms.get_forces() * units.EV_IN_KCAL, atol=1e-12)
    assert found.atom_energies is None
    for a, b in ((0, 0), (1, 2), (2, 0)):
        energies = []
        for side in (1e-5, -1e-5):
            strain = np.eye(3)
            strain[a, b] += side
            box = None if cell is None else cell @ strain
            energies.append(fx.evaluate(model, atoms.numbers, atoms.positions @ strain, box).energy)
        slope = (energies[0] - energies[1]) / 2e-5
        assert found.virial[a, b] == pytest.approx(slope, abs=1e-6 * np.abs(found.virial).max())


def test_ours_through_ase_and_back():
    """fx.Calculator(model), taken in again as a calculator, gives the model's own numbers."""
    model = fx.load_model(ACCURATE, dtype="float64")
    again = fx.load_model(fx.Calculator(model))
    atoms = hydrogens()
    one = fx.evaluate(model, atoms.numbers, atoms.positions, np.array(atoms.cell))
    two = fx.evaluate(again, atoms.numbers, atoms.positions, np.array(atoms.cell))
    assert two.energy == pytest.approx(one.energy, rel=1e-14)
    np.testing.assert_allclose(two.forces, one.forces, rtol=1e-12, atol=1e-12)
    symmetric = 0.5 * (one.virial + one.virial.T)
    np.testing.assert_allclose(two.virial, symmetric, rtol=1e-12, atol=1e-11)
    atoms.calc = fx.Calculator(again)
    assert atoms.get_potential_energy() * units.EV_IN_KCAL == pytest.approx(one.energy, rel=1e-12)
    np.testing.assert_allclose(atoms.get_stress(voigt=False) * atoms.get_volume()
                               * units.EV_IN_KCAL, symmetric, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("ensemble", ["nve", "nvt"])
def test_a_run_with_a_wrapped_copy_is_the_direct_run(ensemble):
    options = {"dt": 0.5, "ensemble": ensemble}
    wrapped = fx.Calculator(fx.load_model(ACCURATE, dtype="float64"))
    with make(**options) as one, make(accurate=wrapped, **options) as two:
        one.run(40)
        two.run(40)
        np.testing.assert_allclose(two.positions, one.positions, atol=1e-8)
        np.testing.assert_allclose(two.velocities, one.velocities, atol=1e-8)
        np.testing.assert_allclose(two.virial, one.virial, atol=1e-7)
        assert two.observables["pressure"] == pytest.approx(one.observables["pressure"], abs=1e-6)


class Argon(fx.Model):
    """Lennard-Jones argon that ends smoothly, as a model of ours."""

    elements = (18,)

    def __init__(self, cutoff):
        super().__init__()
        self.cutoff = cutoff

    def forward(self, graph):
        x = (3.4 / graph.distances) ** 6
        end = (1 - (graph.distances / self.cutoff) ** 2) ** 3
        return graph.sum_neighbors(2 * 0.24 * (x * x - x) * end)


def lennard_jones(cutoff):
    return LennardJones(sigma=3.4, epsilon=0.0104, ro=0.7 * cutoff, rc=cutoff, smooth=True)


MIXED = {
    "ase outside": lambda: (lennard_jones(7.0), Argon(5.0)),
    "ase inside": lambda: (Argon(7.0), lennard_jones(5.0)),
    "ase twice": lambda: (lennard_jones(7.0), lennard_jones(5.0)),
}


def drift_and_momentum(models, dt, time=1000.0):
    """Largest deviation of the total energy in so many fs, kinetic energy, change of momentum."""
    with make(argon(periodic=True), models[0], fast=models[1], dt=dt, substeps=2,
              ensemble="nve") as sim:
        mass = sim.masses[:, None]
        start, momentum = sim.energy.total, (mass * sim.velocities).sum(0)
        energies = [frame.energy.total for frame in sim.trajectory(round(time / dt), every=2)]
        moved = np.abs((mass * sim.velocities).sum(0) - momentum).max()
        return np.abs(np.array(energies) - start).max(), sim.energy.kinetic, moved


@pytest.mark.parametrize("way", MIXED)
def test_two_levels_mix_doors(way):
    """An ASE calculator may be the accurate level, the fast one, or both; energy is conserved.

    The deviation of a symplectic ladder is of second order in the step: half the step leaves a
    quarter of it.
    """
    coarse, kinetic, moved = drift_and_momentum(MIXED[way](), dt=20.0)
    fine, _, _ = drift_and_momentum(MIXED[way](), dt=10.0)
    assert moved < 1e-9
    assert coarse < 0.05 * kinetic
    assert fine < 0.35 * coarse


def test_the_keyfile_takes_a_calculator_from_a_file(tmp_path):
    """`model.py:function` on one level and a shipped file on the other; the log tells which."""
    small_case(tmp_path, start="periodic")
    (tmp_path / "calc.py").write_text(
        "from ase.calculators.lj import LennardJones\n\n\n"
        "def soft():\n"
        "    return LennardJones(sigma=1.2, epsilon=0.002, rc=4.0, smooth=True)\n"
    )
    key = tmp_path / "case.key"
    key.write_text(key.read_text().replace("pairs.py:Accurate", "calc.py:soft"))
    done = dynamic(tmp_path, "case", 4, 1.0, 0.002, 2, 300.0)
    assert done.returncode == 0, done.stderr
    assert "LennardJones (ASE calculator)" in done.stdout
    assert "sees the whole system, no pair list" in done.stdout
    assert "pairs.py:Fast" in done.stdout
    (tmp_path / "case.dyn").unlink()
    with fx.Simulation(tmp_path / "case.key", ensemble="nvt", dt=1.0) as sim:
        found = fx.evaluate(fx.load_model(f"{tmp_path}/calc.py:soft"), sim.numbers, sim.positions,
                            sim.cell)
        assert sim.energy.potential == pytest.approx(found.energy, abs=1e-9)
        np.testing.assert_allclose(sim.forces, found.forces, atol=1e-9)
        assert len(sim.labels) == 2


def test_without_ase(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ase", None)
    with pytest.raises(fx.ModelError, match=r"pip install pyfennix\[ase\]"):
        fx.load_model(Constant())


@pytest.mark.parametrize(("calculator", "complaint"), [
    (Constant(energy=np.nan), "model Constant returned an energy that is not finite"),
    (Constant(forces=np.full((54, 3), np.nan)), "returned forces that is not finite"),
    (Constant(forces=np.zeros((3, 3))), r"forces of shape \(3, 3\), expected \(54, 3\)"),
    (Constant(stress=np.full(6, np.nan)), "a virial that is not finite"),
    (Constant(error=ValueError("no\nluck")), "the ASE calculator Constant raised ValueError: no l"),
    (Constant(error=NotImplementedError()), "raised NotImplementedError: without a text"),
], ids=["energy", "nan forces", "shape", "stress", "raises", "not there"])
def test_bad_calculators_end_in_one_sentence(calculator, complaint):
    with pytest.raises(fx.ModelError, match=complaint) as caught:
        make(accurate=calculator)
    assert "\n" not in str(caught.value)
    atoms = hydrogens()
    with pytest.raises(fx.ModelError, match=complaint):
        fx.evaluate(fx.load_model(calculator), atoms.numbers, atoms.positions, np.array(atoms.cell))


def water_box(n=8, periodic=True):
    numbers, positions = waters(cubic(n), (2, 2, 2))
    return ase.Atoms(numbers=numbers, positions=positions, cell=cubic(n) if periodic else None,
                     pbc=periodic)


def test_a_calculator_without_stress_has_no_pressure(tmp_path, monkeypatch):
    """Density stays, pressure is left out and nothing is not a number; the log says why."""
    monkeypatch.chdir(tmp_path)
    with make(water_box(), TIP3P(rc=3.0), fast="water-fast", dt=0.5, substeps=2,
              output="out", keywords={"dump": 0.001}) as sim:
        sim.run(4)
        assert "pressure" not in sim.observables
        assert sim.observables["density"] > 0.0
        assert np.isfinite(list(sim.observables.values())).all()
        with pytest.raises(fx.InputError, match=r"TIP3P .* gives no virial of a periodic system"):
            _ = sim.virial
    with h5py.File("out.h5") as file:
        assert "pressure" not in file["observables"]
        assert "density" in file["observables"]
    model = fx.load_model(TIP3P(rc=3.0))
    atoms = water_box()
    assert fx.evaluate(model, atoms.numbers, atoms.positions, np.array(atoms.cell)).virial is None
    # as the fast level it is asked for no virial, so that the pressure is the accurate one's
    with make(water_box(), "water-accurate", fast=TIP3P(rc=3.0), dt=0.5, substeps=1) as sim:
        assert np.isfinite(sim.observables["pressure"])


def test_the_log_says_that_there_is_no_pressure(tmp_path):
    atoms = water_box()
    write_xyz(tmp_path / "box.xyz", atoms.numbers, atoms.positions)
    (tmp_path / "calc.py").write_text(
        "from ase.calculators.tip3p import TIP3P\n\n\ndef make_model():\n    return TIP3P(rc=3.0)\n"
    )
    (tmp_path / "box.key").write_text("ml-model calc.py\nml-threads 1\nintegrator verlet\n"
                                      + box_keywords(np.array(atoms.cell)))
    done = dynamic(tmp_path, "box", 2, 0.2, 0.001, 1, 100.0)
    assert done.returncode == 0, done.stderr
    assert "Pressure            not there: the accurate model gives no stress" in done.stdout
    assert " Pres " not in done.stdout
    assert "Density" in done.stdout
    assert "nan" not in done.stdout.lower()


def test_isolated_virial_is_that_of_the_forces():
    with make(water_box(periodic=False), TIP3P(rc=9.0)) as sim:
        np.testing.assert_allclose(sim.virial, -sim.positions.T @ sim.forces, atol=1e-9)


def test_the_charge_is_handed_on():
    calculator = Constant()
    atoms = hydrogens()
    model = fx.load_model(calculator)
    fx.evaluate(model, atoms.numbers, atoms.positions, charge=-1.0)
    fx.evaluate(model, atoms.numbers, atoms.positions + 1.0, charge=0.5)
    assert [info["charge"] for info in calculator.seen] == [-1, 0.5]
    with make(accurate=calculator, charge=2.0):
        assert calculator.seen[-1]["charge"] == 2


def test_a_part_of_a_system_is_refused():
    handle = make_provider(fx.load_model(LennardJones()))
    case = Case([18, 18, 18], np.eye(3) * 4.0, cutoff=1.0)
    case.result.atom_energy = None
    assert case.call(handle) == 0, message(handle)
    case.request.n_global = 5
    assert case.call(handle) == 1
    assert "cannot be spread over several ranks" in message(handle)


def test_the_calculator_is_used_and_not_copied():
    calculator = Constant()
    with make(accurate=calculator) as sim:
        before = len(calculator.seen)
        sim.run(2)
        assert len(calculator.seen) == before + 2
