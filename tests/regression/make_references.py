"""Write references.npz: trajectories of the potentials of tests/models/pairs.py, made by OpenMM.

Not a dependency of pyfennix; to repeat it:  python -m venv v && v/bin/pip install openmm==8.6.1 &&
v/bin/python tests/regression/make_references.py

OpenMM works in nm, ps, g/mol and kJ/mol (1 kcal = 4.184 kJ); the file is in Å, ps and Å/ps.
Its Reference platform computes in double precision throughout.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openmm as mm

KJ, NM = 4.184, 0.1  # of a kcal, of an Å
MASS = {1: 1.008, 8: 15.999}
N_OXYGEN, N_PAIRS = 20, 14
CELL = np.array([[13.0, 0.0, 0.0], [1.5, 12.5, 0.0], [-2.0, 1.0, 12.0]])
DT, SUBSTEPS, STEPS = 2.0e-3, 4, 100  # outer step in ps
KEEP = (1, 10, 50, 100)

MORSE = f"h1*h2*{KJ}*(60*((1-exp(-19*(r-0.075)))^2-1)+40*exp(-((r-0.17)/0.035)^2))"
LENNARD_JONES = (
    f"(1-h1*h2)*4*epsilon*(x^2-x); x=(sigma/r)^6; sigma=0.5*(sigma1+sigma2);"
    f"epsilon={KJ}*sqrt(epsilon1*epsilon2)"
)


def pair_force(expression, begin, end, numbers, periodic, group):
    """A pair force of OpenMM with its own C2 switch from begin to end (Å)."""
    force = mm.CustomNonbondedForce(expression)
    for name in ("h", "sigma", "epsilon"):
        force.addPerParticleParameter(name)
    for z in numbers:
        force.addParticle([1, 0.22, 0.03] if z == 1 else [0, 0.30, 0.20])
    kind = mm.CustomNonbondedForce
    force.setNonbondedMethod(kind.CutoffPeriodic if periodic else kind.CutoffNonPeriodic)
    force.setCutoffDistance(end * NM)
    force.setUseSwitchingFunction(True)
    force.setSwitchingDistance(begin * NM)
    force.setForceGroup(group)
    return force


def build(numbers, periodic):
    """A system with the accurate model in group 0 and the fast one in group 1."""
    system = mm.System()
    for z in numbers:
        system.addParticle(MASS[z])
    if periodic:
        system.setDefaultPeriodicBoxVectors(*(mm.Vec3(*row) for row in CELL * NM))
    for group, (begin, end) in enumerate([(4.5, 5.5), (3.0, 3.5)]):
        system.addForce(pair_force(MORSE, 1.8, 2.5, numbers, periodic, group))
        system.addForce(pair_force(LENNARD_JONES, begin, end, numbers, periodic, group))
    return system


def verlet(dt):
    """Velocity Verlet with the accurate force."""
    step = mm.CustomIntegrator(dt)
    step.addComputePerDof("v", "v+0.5*dt*f0/m")
    step.addComputePerDof("x", "x+dt*v")
    step.addComputePerDof("v", "v+0.5*dt*f0/m")
    return step


def baoab(dt):
    """BAOAB at zero friction: the drift in two halves around an O step that does nothing."""
    step = mm.CustomIntegrator(dt)
    step.addComputePerDof("v", "v+0.5*dt*f0/m")
    step.addComputePerDof("x", "x+0.5*dt*v")
    step.addComputePerDof("v", "1.0*v+0.0*gaussian")
    step.addComputePerDof("x", "x+0.5*dt*v")
    step.addComputePerDof("v", "v+0.5*dt*f0/m")
    return step


def respa(dt, n):
    """The difference force outside, n velocity-Verlet steps of the fast force inside."""
    step = mm.CustomIntegrator(dt)
    _difference_kick(step)
    for _ in range(n):
        step.addComputePerDof("v", f"v+0.5*(dt/{n})*f1/m")
        step.addComputePerDof("x", f"x+(dt/{n})*v")
        step.addComputePerDof("v", f"v+0.5*(dt/{n})*f1/m")
    _difference_kick(step)
    return step


def _difference_kick(step):
    """Half a kick with accurate - fast, in two lines: one line may name one group only."""
    step.addComputePerDof("v", "v+0.5*dt*f0/m")
    step.addComputePerDof("v", "v-0.5*dt*f1/m")


def context_of(system, integrator, x, v):
    """A context in double precision at the given state (Å, Å/ps)."""
    context = mm.Context(system, integrator, mm.Platform.getPlatformByName("Reference"))
    context.setPositions(x * NM)
    context.setVelocities(v * NM)
    return context


def state_of(context):
    """Positions, velocities (Å, Å/ps)."""
    state = context.getState(getPositions=True, getVelocities=True)
    pick = (state.getPositions(asNumpy=True), state.getVelocities(asNumpy=True))
    return tuple(np.array(a._value) / NM for a in pick)


def start_structure(numbers, periodic, rng):
    """Molecules on a grid, relaxed and warmed to 200 K."""
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 3)
    sites = rng.permutation(grid)[: N_OXYGEN + N_PAIRS] / 4.0 + 0.05 * rng.random((34, 3))
    sites = sites @ (CELL if periodic else 0.9 * CELL)
    bond = rng.normal(size=(N_PAIRS, 3))
    bond *= 0.375 / np.linalg.norm(bond, axis=1, keepdims=True)
    x = np.concatenate([sites[:N_OXYGEN], sites[N_OXYGEN:] - bond, sites[N_OXYGEN:] + bond])
    system = build(numbers, periodic)
    langevin = mm.LangevinMiddleIntegrator(200.0, 20.0, 0.5e-3)
    langevin.setIntegrationForceGroups({0})
    langevin.setRandomNumberSeed(7)
    context = context_of(system, langevin, x, np.zeros_like(x))
    context.setVelocitiesToTemperature(200.0, 7)
    langevin.step(4000)
    return state_of(context)


def main():
    """Three integrators on a periodic and on an isolated system."""
    rng = np.random.default_rng(2026)
    numbers = [8] * N_OXYGEN + [1] * (2 * N_PAIRS)
    out = {"numbers": np.array(numbers), "cell": CELL, "dt_ps": DT, "substeps": SUBSTEPS,
           "keep": np.array(KEEP), "openmm": mm.version.version}
    for periodic, name in ((True, "periodic"), (False, "isolated")):
        x, v = start_structure(numbers, periodic, rng)
        out |= {f"{name}_x": x, f"{name}_v": v}
        system = build(numbers, periodic)
        makers = {"verlet": verlet(DT / 4), "baoab": baoab(DT / 4), "respa": respa(DT, SUBSTEPS)}
        for kind, integrator in makers.items():
            context = context_of(system, integrator, x, v)
            for group, level in enumerate(("accurate", "fast")):
                state = context.getState(getEnergy=True, getForces=True, groups={group})
                out[f"{name}_{level}_energy"] = state.getPotentialEnergy()._value / KJ
                out[f"{name}_{level}_forces"] = (
                    np.array(state.getForces(asNumpy=True)._value) / KJ * NM)
            frames = []
            for step in range(1, STEPS + 1):
                integrator.step(1)
                if step in KEEP:
                    frames.append(state_of(context))
            out[f"{name}_{kind}"] = np.array(frames)  # (frames, x or v, atoms, 3)
    path = Path(__file__).with_name("references.npz")
    np.savez_compressed(path, **out)
    for name in ("periodic", "isolated"):
        moved = np.abs(out[f"{name}_verlet"][-1, 0] - out[f"{name}_x"]).max()
        print(f"{name}: {len(numbers)} atoms, largest displacement {moved:.3f} Å")
    print(f"wrote {path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
