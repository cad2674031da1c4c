# SPDX-License-Identifier: MIT
"""The command `pyfennix distill`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from pyfennix.distillation.settings import DistillSettings

SUMMARY = "make a fast model of an accurate one for a system"
TEXT = """\
Make a fast model that agrees with an accurate one where forces change quickly: short dynamics
with the accurate model, geometries selected and labelled, a small model trained on them, rounds of
two-level dynamics that find where it fails, a test, and a report (report.html).

A SYSTEM is NAME of NAME.xyz and NAME.key, or a structure file. What is done is kept in the folder:
the same command goes on where it was stopped.

examples:
  pyfennix distill water --accurate water-accurate
  pyfennix distill aspirin.xyz --accurate ani1x.fnx --dt 0.5 --outer 2 --substeps 4
  pyfennix distill water --accurate a.fnx --start water-fast --rounds 1          (fine-tune)
  pyfennix distill water --accurate a.fnx --start fast.fnx --repair water.holes.h5
  pyfennix distill protein --accurate a.fnx --trajectory md.h5 --fragments 20
"""

_HELP = {
    "start": "fast model whose weights to start from",
    "repair": "harvested frames (NAME.holes.h5) of runs in which the fast model failed",
    "trajectory": "take geometries from these files instead of sampling them",
    "temperatures": "K; the first is the one the model is tested at",
    "equilibrate": "ps of dynamics before frames are taken",
    "sample": "ps of dynamics at each temperature, in each round",
    "dt": "step of the accurate model alone, fs",
    "outer": "outer step of two-level runs, fs", "substeps": "inner steps in it",
    "friction": "of the two-level test, 1/ps",
    "frames": "geometries selected; default by size",
    "rounds": "trainings, with two-level dynamics between them",
    "steps": "of the optimiser in the first round; later ones take half",
    "batch_atoms": "atoms in a step of the optimiser", "learning_rate": "largest",
    "test": "ps of the two-level run that is reported",
    "fragments": "spheres cut from each geometry instead of labelling it whole",
    "margin": "Å around the inner atoms of a fragment; default: exact",
    "inner_radius": "Å, radius of the atoms of a fragment that are learned from",
    "shape": "of the fast model (docs/training.md)",
    "heavy_hydrogen": "two-level runs with hydrogens of 4 g/mol",
    "charge": "total charge, e; default: the system's own",
    "threads": "of torch; default: all", "seed": "of random numbers",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments, from the settings."""
    parser.add_argument("systems", nargs="+", metavar="SYSTEM", help="what to distil for")
    parser.add_argument("--accurate", required=True, metavar="MODEL",
                        help="a shipped name, FILE.fnx, FILE.py:Name")
    parser.add_argument("--out", metavar="FOLDER",
                        help="where everything is written; default: SYSTEM-distilled or "
                             "SYSTEM-repaired")
    defaults = DistillSettings([], None, Path())
    for part in fields(DistillSettings):
        if part.name not in _HELP:
            continue
        default = getattr(defaults, part.name)
        flag, text = f"--{part.name.replace('_', '-')}", _HELP[part.name]
        if isinstance(default, bool):
            parser.add_argument(flag, action="store_true", help=text)
        elif isinstance(default, list):
            kind = float if part.name == "temperatures" else str
            parser.add_argument(flag, nargs="+", type=kind, default=default, help=text)
        else:
            kind = float if default is None else type(default)  # margin, charge
            shown = f"{text} (default {default})" if default else text
            parser.add_argument(flag, type=kind, default=default, help=shown,
                                metavar=kind.__name__.upper())


def act(parsed: argparse.Namespace) -> int:
    """Distil as the arguments say; status 2 when the model must not be a default."""
    given = {name: getattr(parsed, name) for name in _HELP}
    done = "repaired" if parsed.repair else "distilled"
    folder = Path(parsed.out or f"{Path(parsed.systems[0]).stem}-{done}")
    settings = DistillSettings(parsed.systems, parsed.accurate, folder, **given)
    settings.check()
    # torch: --help need not wait for it
    from pyfennix.distillation.pipeline import run_distillation

    facts = run_distillation(settings)
    print("\n".join(summary(facts)))
    return 2 if facts.get("difference", {}).get("refused") else 0


def summary(facts: dict) -> list[str]:
    """A few lines of what the report says."""
    errors = facts["errors"]
    lines = [f"force error on {errors['frames']} test frames: MAE {errors['mae']:.1f}, RMSE "
             f"{errors['rmse']:.1f} meV/Å"]
    if "cost" in facts:
        cost = facts["cost"]
        lines.append(f"cost, {cost['atoms']} atoms, one thread: accurate {cost['accurate_ms']:.2f},"
                     f" fast {cost['fast_ms']:.2f} ms, ratio {cost['ratio']:.1f}")
    if "difference" in facts:
        found = facts["difference"]
        if found["atoms_times_steps"]:
            lines.append(f"two-level run: largest difference {found['largest']:.1f} kcal/mol/Å, "
                         f"{found['share_above_30']:.1e} of atoms and steps above 30")
        if facts["run"]["failed"]:
            lines.append(f"REFUSED as a default: the run failed {facts['run']['failed']}")
        else:
            lines.append("REFUSED as a default: the tail is too fat" if found["refused"]
                         else "no tail: fit to be a default")
    if "heating" in facts:
        lines.append(f"suggested outer step: {facts['heating']['suggested_outer_fs']:g} fs at "
                     f"friction {facts['heating']['friction']:g}/ps")
    if "repair" in facts:
        repair = facts["repair"]
        lines.append(f"harvested frames kept for the test: RMSE {repair['before']['rmse']:.1f} "
                     f"before, {repair['after']['rmse']:.1f} meV/Å after")
    return lines
