# SPDX-License-Identifier: MIT
"""Evaluate the frames of an H5MD trajectory at each level: `--rerun FILE.h5`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pyfennix import host, resources
from pyfennix.engine import Engine
from pyfennix.exceptions import InputError
from pyfennix.io import h5md

HEAD = "     Frame   E Accurate  RMS Force     Max F   on Atom"
HEAD_FAST = "         E Fast   RMS dF    Max dF   on Atom"


def rerun(words: list[str], path: Path) -> Iterator[str]:
    """Lines of a table: energy and forces of every frame, and what the fast level lacks.

    Parameters
    ----------
    words
        Command line of `fennix-dynamic` without `--rerun FILE`: NAME and perhaps `-k KEY`.
    path
        The trajectory; its cell must be that of the structure.

    Raises
    ------
    InputError
        When the trajectory is of another system.
    """
    engine = Engine.from_files([*words, "--rerun", str(path)], None, "")
    facts = host.parse(engine.text("host"))
    attachment = host.build(facts, threads=resources.choose_threads(int(facts["threads"])))
    engine.attach(attachment)
    two_levels = len(attachment.providers) > 1
    with h5md.open_for_reading(path) as file:
        group = file[h5md.TRAJECTORY]
        if not np.array_equal(group["species"], engine.identities()[0]):
            raise InputError(f"{path}: the trajectory is of another system than {words[0]}")
        yield "\n".join(f" Level {k}   {p.label}" for k, p in enumerate(attachment.providers, 1))
        yield "\n" + HEAD + HEAD_FAST * two_levels
        engine.prepare()
        for index in range(h5md.count_frames(file)):
            _check_cell(path, group, index, engine.cell())
            engine.set("position", group["position/value"][index])
            yield _line(index + 1, engine, two_levels)
    engine.close(finish=False)


def _line(number: int, engine: Engine, two_levels: bool) -> str:
    """One frame, as the executable prints frames of an archive."""
    forces = engine.get("force")
    energy, fast = engine.energies()
    atom, largest = _largest(forces)
    line = f"{number:10d}{energy:13.4f}{_rms(forces):11.4f}{largest:10.3f}{atom:10d}"
    if not two_levels:
        return line
    difference = forces - engine.get("force_fast")
    atom, largest = _largest(difference)
    return f"{line}{fast:15.4f}{_rms(difference):9.4f}{largest:10.3f}{atom:10d}"


def _check_cell(path: Path, group: object, index: int, cell: np.ndarray | None) -> None:
    """The engine keeps its cell, so the frame must have the same one."""
    edges = group["box/edges/value"][index] if "edges" in group["box"] else None
    same = (cell is None) == (edges is None)
    if not same or (cell is not None and not np.allclose(cell, edges, atol=1e-6)):
        raise InputError(f"{path}: frame {index + 1} has another box than the structure")


def _rms(forces: np.ndarray) -> float:
    return float(np.sqrt(np.mean(forces**2)))


def _largest(forces: np.ndarray) -> tuple[int, float]:
    """One-based atom with the largest force, and that force."""
    lengths = np.linalg.norm(forces, axis=1)
    atom = int(lengths.argmax())
    return atom + 1, float(lengths[atom])
