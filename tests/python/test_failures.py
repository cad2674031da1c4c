"""Every mistake of a user gets one sentence, a non-zero exit and intact files, quickly."""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.runs import TWO_LEVELS, dynamic, reference, small_case, write_xyz

EARLIER = {"case.arc": b"an earlier trajectory\n", "case.h5": b"an earlier file\n",
           "case.chk": b"an earlier checkpoint\n"}
NVT = ("case", 10, 1.0, 0.005, 2, 300.0)


@dataclass
class Mistake:
    """How to make it, and what the sentence must name (regular expressions)."""

    prepare: Callable[[Path], object]
    names: tuple[str, ...]
    words: tuple = NVT
    before: tuple[str, ...] = ()


def swap(old: str, new: str):
    """Replace a line of the keyfile."""
    def prepare(folder: Path):
        text = (folder / "case.key").read_text()
        assert old in text
        (folder / "case.key").write_text(text.replace(old, new))
    return prepare


def add(line: str):
    """Add a line to the keyfile."""
    def prepare(folder: Path):
        with (folder / "case.key").open("a") as file:
            file.write(line + "\n")
    return prepare


def drop(name: str):
    """Remove a file."""
    return lambda folder: (folder / name).unlink()


def rename_atom(name: str):
    """Give the first atom another name."""
    def prepare(folder: Path):
        numbers, x, _, _ = reference()
        names = [name, *("O" if z == 8 else "H" for z in numbers[1:])]
        write_xyz(folder / "case.xyz", numbers, x, names)
    return prepare


def model(name: str, content: bytes | None = None):
    """Another accurate model, whose file may be given."""
    def prepare(folder: Path):
        if content is not None:
            (folder / name).write_bytes(content)
        swap("ml-model pairs.py:Accurate", f"ml-model {name}")(folder)
    return prepare


def truncated_model(folder: Path):
    """The first half of a shipped model."""
    import pyfennix

    shipped = Path(pyfennix.__file__).parent / "weights" / "water-fast.fnx"
    content = shipped.read_bytes()
    model("half.fnx", content[: len(content) // 2])(folder)


def wrong_dyn(folder: Path):
    """A restart file of three atoms."""
    rows = ["    0.1000000000000000D+01" * 3] * 3
    lines = [" Number of Atoms and Title :", "     3  another system",
             " Periodic Box Dimensions :", "    0.0000000000000000D+00" * 3,
             "    0.0000000000000000D+00" * 3, " Current Atomic Positions :", *rows,
             " Current Atomic Velocities :", *rows, " Current Atomic Accelerations :", *rows,
             " Alternate Atomic Accelerations :", *rows]
    (folder / "case.dyn").write_text("\n".join(lines) + "\n")


def box(a: float, b: float, c: float, alpha: float = 90.0, beta: float = 90.0):
    """A box in the keyfile."""
    return add(f"a-axis {a}\nb-axis {b}\nc-axis {c}\nalpha {alpha}\nbeta {beta}\ngamma 90.0")


def read_only(folder: Path):
    """A folder that may not be written to (see WITHOUT_POWER for root)."""
    folder.chmod(0o555)


# Root writes anywhere; without this capability it is held to permissions like everybody.
WITHOUT_POWER = () if os.geteuid() else ("setpriv", "--bounding-set=-dac_override")

# Where the case names its accurate model
NAMED = ("case.key, line", "ml-model")

MISTAKES = {
    "misspelt keyword": Mistake(swap("integrator ", "integratr "),
                                ("case.key", "line 1\\b|:1\\b", "integratr", "integrator")),
    "bad number": Mistake(add("friction fast"), ("case.key, line", "friction", "fast", "number")),
    "missing value": Mistake(add("friction"), ("case.key, line", "friction", "number|value")),
    "no multiple": Mistake(swap("dshort 0.0005", "dshort 0.0003"), ("dshort", "multiple")),
    "two levels, one model": Mistake(swap("ml-model-fast pairs.py:Fast\n", ""),
                                     ("ml-model-fast", "baoabrespa")),
    "one level, two models": Mistake(swap("integrator baoabrespa", "integrator baoab"),
                                     ("ml-model-fast", "baoab")),
    "langevin with nve": Mistake(lambda folder: None, ("integrator", "baoabrespa", "nve"),
                                 words=("case", 10, 1.0, 0.005, 1)),
    "respa with nvt": Mistake(swap("baoabrespa", "respa"), ("integrator", "respa", "nvt")),
    "constant pressure": Mistake(lambda folder: None, ("NPT|npt|pressure",),
                                 words=("case", 10, 1.0, 0.005, 4, 300.0, 1.0)),
    "harvest with one level": Mistake(
        lambda folder: add("harvest-force 30")(folder) or swap(
            "integrator baoabrespa\nml-model pairs.py:Accurate\nml-model-fast pairs.py:Fast",
            "integrator baoab\nml-model pairs.py:Accurate")(folder),
        ("case.key, line 7", "harvest-force", "baoab", "one level")),
    "harvest of everything": Mistake(add("harvest-force 0"),
                                     ("case.key, line 8", "harvest-force", "positive number")),
    "no structure": Mistake(drop("case.xyz"), ("case.xyz",)),
    "another system's dyn": Mistake(wrong_dyn, ("case.dyn", "3", "48")),
    "unknown element": Mistake(rename_atom("Qq"), ("case.xyz", "Qq")),
    "element outside the model": Mistake(model("faulty.py:HydrogenOnly"),
                                         (r"\bO\b", "HydrogenOnly", "know", *NAMED)),
    "no model file": Mistake(model("absent.fnx"), ("absent.fnx", *NAMED)),
    "truncated model": Mistake(truncated_model, ("half.fnx", *NAMED)),
    "not a model": Mistake(model("text.fnx", b"good morning\n" * 40),
                           ("text.fnx", "MessagePack|not a", *NAMED)),
    "model raises": Mistake(model("faulty.py:Raises"), ("no parameters for this pair", *NAMED)),
    "model returns nan": Mistake(model("faulty.py:NotFinite"),
                                 ("NotFinite|faulty", "finite|NaN", *NAMED)),
    "model returns a wrong shape": Mistake(model("faulty.py:WrongShape"),
                                           ("WrongShape|faulty", "49", "48", *NAMED)),
    "box without volume": Mistake(box(20.0, 20.0, 20.0, 30.0, 160.0), ("volume",)),
    "box too dense": Mistake(box(2.0, 2.0, 2.0), ("density|dense|g/cm",)),
    "box too flat": Mistake(box(80.0, 80.0, 0.3), ("0.3|image",)),
    "read-only folder": Mistake(read_only, ("folder", "denied"), before=WITHOUT_POWER),
}


def processor_seconds() -> float:
    """Processor time of all programs started so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gets_one_sentence(name, tmp_path):
    mistake = MISTAKES[name]
    folder = small_case(tmp_path)
    for file, content in EARLIER.items():
        (folder / file).write_bytes(content)
    mistake.prepare(folder)
    begin = processor_seconds()
    done = dynamic(folder, *mistake.words, before=mistake.before, timeout=60)
    elapsed = processor_seconds() - begin
    folder.chmod(0o755)
    said = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode != 0, done.stdout
    assert len(said) == 1, done.stderr
    assert not re.search("Traceback|internal error|unexpected keyword", done.stdout + done.stderr)
    for wanted in mistake.names:
        assert re.search(wanted, said[0]), f"{wanted!r} is not named in: {said[0]}"
    assert elapsed < 10.0  # processor time: on an idle machine the wall's, on a busy one a fair one
    for file, content in EARLIER.items():
        kept = [path.read_bytes() for path in folder.glob(f"{file}*")]
        assert content in kept, f"{file} is gone"


def test_the_case_itself_runs(tmp_path):
    """Without a mistake the same input runs, so that each failure above has one cause."""
    folder = small_case(tmp_path)
    done = dynamic(folder, *NVT)
    assert done.returncode == 0, done.stderr
    assert TWO_LEVELS.splitlines()[0] in (folder / "case.key").read_text()
    assert (folder / "case.arc").stat().st_size > 0
