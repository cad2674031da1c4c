# SPDX-License-Identifier: MIT
"""What a Simulation is made from: options become keywords, files or Atoms become an engine."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from pyfennix import host, resources
from pyfennix.engine import ALONE, Engine
from pyfennix.exceptions import InputError
from pyfennix.models.registry import as_model, split_name

if TYPE_CHECKING:
    import ase
    import mpi4py.MPI

    from pyfennix.models.adapters.door import AnyModel

# Python argument -> keyword; the keyword's own rules are checked in one place, the engine
_KEYWORDS = {
    "ensemble": "ensemble",
    "temperature": "temperature",
    "friction": "friction",
    "dtype": "ml-precision",
    "device": "ml-device",
    "threads": "ml-threads",
    "charge": "ml-qtot",
    "seed": "randomseed",
    "dt": "timestep",
}


def engine(request: dict, comm: mpi4py.MPI.Comm | None) -> Engine:
    """The engine of a Simulation with these arguments, which are read on rank 0.

    Raises
    ------
    InputError
        What rank 0 cannot use, on all ranks.
    """
    handle = comm_handle(comm)
    if comm is None or comm.Get_size() == 1:
        return _maker(request, handle)()
    if comm.Get_rank() > 0:
        told = _told(comm, "")
        if told:
            raise InputError(told)
        made = Engine.from_files([], None, "", handle)
        made.leads = False
        return made
    try:
        make = _maker(request, handle)
    except Exception as error:
        _told(comm, str(error).strip() or type(error).__name__)
        raise
    _told(comm, "")
    return make()


def _told(comm: mpi4py.MPI.Comm, text: str) -> str:
    """A text of rank 0 on all ranks."""
    words = np.frombuffer(text.encode(), np.uint8).copy()
    size = np.array([len(words)])
    comm.Bcast(size)
    if comm.Get_rank() > 0:
        words = np.zeros(size[0], np.uint8)
    comm.Bcast(words)
    return words.tobytes().decode()


def _maker(request: dict, handle: int) -> Callable[[], Engine]:
    """Checks the arguments, and returns what makes the engine."""
    system, name = request["system"], request["output"]
    name = "" if name is None else str(name)
    key = keyfile(Path(system)) if isinstance(system, str | Path) else None
    lines = keyword_lines(request["options"], request["keywords"], key)
    if request["resume"] and not name:
        raise InputError("resume=True needs output=, the name of the files to continue")
    words = ["--resume"] if request["resume"] else []
    velocities = request["velocities"]
    if key is not None:
        return from_keyfile(key, words, lines, name, velocities, handle)
    return from_atoms(system, words, lines, name, velocities, handle)


def keyword_lines(
    options: dict[str, object], keywords: dict[str, object], key: Path | None = None
) -> list[str]:
    """Lines of a keyfile for the arguments of Simulation that are not None.

    Parameters
    ----------
    options, keywords
        Arguments by name; keywords as they are written in a keyfile.
    key
        The keyfile before these lines, which may set the time step that `substeps` divides.

    Raises
    ------
    InputError
        When an option cannot be written as a keyword.
    """
    lines = [
        f"{keyword} {_word(options[name])}"
        for name, keyword in _KEYWORDS.items()
        if options.get(name) is not None
    ]
    for name, keyword in (("accurate", "ml-model"), ("fast", "ml-model-fast")):
        if options.get(name) is not None:
            lines.append(f"{keyword} {_model_word(options[name])}")
    given = [f"{name} {_word(value)}" for name, value in keywords.items() if value is not None]
    substeps = options.get("substeps")
    if substeps is not None:
        if int(substeps) != substeps or substeps < 1:
            raise InputError(f"substeps must be a whole number of at least 1, got {substeps}")
        before = [] if key is None else key.read_text(errors="replace").split("\n")
        lines.append(f"dshort {_word(_time_step(before + lines + given) * 1e-3 / int(substeps))}")
    lines += given
    broken = [line for line in lines if "\n" in line]
    if broken:
        raise InputError(f"a keyword must fit on one line, got {broken[0]!r}")
    return lines


def keyfile(path: Path) -> Path:
    """The keyfile NAME.key of a path that names it or its NAME.

    Raises
    ------
    InputError
        When there is none.
    """
    key = path if path.suffix == ".key" else path.with_name(path.name + ".key")
    if not key.is_file():
        raise InputError(f"{key}: the keyfile is missing")
    return key


def from_keyfile(
    key: Path, words: list[str], lines: list[str], output: str, velocities: np.ndarray | None,
    comm: int = ALONE,
) -> Callable[[], Engine]:
    """Makes an engine from a keyfile, the structure beside it, and lines that go before its own."""
    if velocities is not None:
        raise InputError("velocities= goes with Atoms; with a keyfile set sim.velocities instead")
    name = key.with_suffix("")
    if output and Path(output).absolute() == name.absolute():
        output = str(name)  # the engine compares the names: these files are continued
    words = [str(name), "-k", str(key), *words]
    text = "\n".join(lines) + "\n" if lines else None
    return partial(Engine.from_files, words, text, output, comm)


def from_atoms(
    atoms: ase.Atoms, words: list[str], lines: list[str], output: str,
    velocities: np.ndarray | None, comm: int = ALONE,
) -> Callable[[], Engine]:
    """Makes an engine from ASE Atoms; their momenta count unless velocities are given."""
    if not hasattr(atoms, "get_atomic_numbers"):
        raise InputError(
            f"a simulation is made from a keyfile or ASE Atoms, got {type(atoms).__name__}"
        )
    periodic = np.asarray(atoms.pbc)
    if periodic.any() and not periodic.all():
        raise InputError("the Atoms must be periodic along all three lattice vectors or none")
    if velocities is None and atoms.has("momenta"):
        velocities = _velocities_of(atoms)
    if velocities is not None:
        velocities = np.asarray(velocities, np.float64)
        if velocities.shape != (len(atoms), 3) or not np.isfinite(velocities).all():
            raise InputError(
                f"velocities must be ({len(atoms)}, 3) finite numbers in Å/ps, "
                f"got shape {velocities.shape}"
            )
    return partial(
        Engine.from_arrays,
        [output or "python", *words],
        "\n".join(lines) + "\n",
        output,
        atoms.get_atomic_numbers(),
        atoms.get_positions(),
        velocities,
        atoms.get_masses() if atoms.has("masses") else None,
        np.asarray(atoms.cell) if periodic.all() else None,
        comm,
    )


def model_objects(
    models: tuple[object, object], dtype: str | None
) -> tuple[AnyModel | None, AnyModel | None]:
    """The models that were given as objects; None for names and files.

    Models of torch are copied, and cast when a dtype was asked for. An ASE calculator is used as
    it is: many cannot be copied.

    Raises
    ------
    ModelError
        For an object that is no model.
    """
    found: list[AnyModel | None] = []
    for thing in models:
        if thing is None or isinstance(thing, str | Path):
            found.append(None)
            continue
        model = as_model(thing)
        if isinstance(model, torch.nn.Module):
            model = copy.deepcopy(model)
            model = model if dtype is None else model.to(resources.choose_dtype(dtype))
        found.append(model)
    return found[0], found[1]


def comm_handle(comm: object) -> int:
    """Fortran handle of an mpi4py communicator; InputError for anything else but None."""
    if comm is None:
        return ALONE
    if not hasattr(comm, "py2f"):
        raise InputError(f"comm must be a communicator of mpi4py, got {type(comm).__name__}")
    return comm.py2f()


def attachment(
    engine: Engine, models: tuple[object, object], dtype: str | None, several: bool
) -> host.Attachment:
    """Models and frame sinks for an engine, which may be one of several ranks.

    Raises
    ------
    FennixError
        When a model cannot be read or its device is not there, on any rank.
    """
    facts = host.parse(engine.text("host"))
    wish = int(facts["threads"])
    threads = resources.choose_threads(wish, int(facts["cores"])) if several else wish or None
    made, failure = None, None
    try:
        made = host.build(facts, model_objects(models, dtype), threads)
        if len(made.providers) != 1 + bool(facts.get("model_fast")):
            raise InputError("the ranks were given different numbers of models")
    except BaseException as error:  # also what a user's file may raise
        failure = error
    engine.share_failure(failure)
    return made


def _time_step(lines: list[str]) -> float:
    """The last time step in lines of a keyfile, fs; 1, the default, when there is none."""
    found = 1.0
    for words in (line.split() for line in lines):
        if len(words) > 1 and words[0].lower() == "timestep":
            try:
                found = float(words[1].strip("'\"").lower().replace("d", "e"))
            except ValueError:
                continue  # the engine says what is wrong with it
    return found


def _velocities_of(atoms: ase.Atoms) -> np.ndarray:
    """Å/ps from ASE's own units."""
    from ase import units

    return atoms.get_velocities() * (1000.0 * units.fs)


def _model_word(model: object) -> str:
    """The value of ml-model: a path or name, or for an object the name of its class."""
    if not isinstance(model, str | Path):
        return type(model).__name__
    word = str(model)
    if Path(split_name(word)[0]).is_file():
        word = str(Path(word).absolute())
    return f'"{word}"' if " " in word or word.startswith("#") else word


def _word(value: object) -> str:
    """A value as it is written in a keyfile."""
    if isinstance(value, bool | np.bool_):
        return "on" if value else "off"
    if isinstance(value, float | np.floating):
        return repr(float(value))
    return str(value)
