# SPDX-License-Identifier: MIT
"""The commands `pyfennix` (info, run, train, distill, recover) and `fennix-dynamic`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from importlib import resources
from pathlib import Path

from pyfennix.exceptions import InputError
from pyfennix.failure import sentence, show_traceback

INFO = """\
Say what a model is: modules, cutoffs, elements, energy terms, units, size and cost.

examples:
  pyfennix info water-fast
  pyfennix info my_model.fnx --json
  pyfennix info model.py:MyModel
"""
RUN = """\
Run molecular dynamics; the same as fennix-dynamic, whose arguments it takes.

examples:
  pyfennix run water
  pyfennix run water 1000 3.0 0.1 nvt 300 -k other.key
"""
RECOVER = """\
Make a trajectory readable again that a killed run left behind. Complete frames are kept.
(A run continued with --resume does this by itself.)

example:
  pyfennix recover water.h5
"""


def main(words: list[str] | None = None) -> int:
    """Entry of `pyfennix`; returns the exit status."""
    words = sys.argv[1:] if words is None else words
    if words[:1] == ["run"] and words[1:2] not in (["-h"], ["--help"]):
        return _guarded("run", lambda: start_dynamic(words[1:]))
    parsed = _parser().parse_args(words)
    return _guarded(parsed.command, lambda: parsed.action(parsed))


def dynamic() -> int:
    """Entry of `fennix-dynamic`: this process becomes the real executable."""
    return _guarded("fennix-dynamic", lambda: start_dynamic(sys.argv[1:]))


def start_dynamic(words: list[str]) -> int:
    """Replace this process by the executable, which will start this same Python.

    Raises
    ------
    InputError
        When the executable is not installed.
    """
    at = words.index("--rerun") if "--rerun" in words else -1
    if at >= 0 and words[at + 1 : at + 2] and Path(words[at + 1]).suffix in (".h5", ".h5md"):
        if _ranks_started() > 1:
            if _rank_started() > 0:
                # told once, by the first; mpirun ends all ranks when any has failed, so it must not
                # be one of the others
                time.sleep(_FOR_THE_FIRST)
                return 1
            raise InputError("--rerun of an .h5 file goes on one rank; an .arc file on any number")
        from pyfennix.rerun import rerun  # Fortran reads archives, Python reads H5MD

        for line in rerun(words[:at] + words[at + 2 :], Path(words[at + 1])):
            print(line, flush=True)
        return 0
    program = resources.files("pyfennix").joinpath("fennix-dynamic")
    path = os.fspath(program)
    if not os.access(path, os.X_OK):
        raise InputError(f"the executable {path} is missing; install pyfennix with `pip install .`")
    os.environ["PYFENNIX_PYTHON"] = sys.executable
    if not any(name in os.environ for name in _LAUNCHED):
        # Started without mpirun: Open MPI need not look for ssh and start a daemon
        os.environ.setdefault("OMPI_MCA_ess_singleton_isolated", "1")
    sys.stdout.flush()
    os.execv(path, [path, *words])


# s that other ranks leave the first one to say what is wrong
_FOR_THE_FIRST = 5.0
# Set by mpirun, or by srun with PMIx or PMI, for every process they start
_LAUNCHED = ("OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK")


def _ranks_started() -> int:
    """Processes that a launcher has started together with this one."""
    sizes = [os.environ.get("OMPI_COMM_WORLD_SIZE"), os.environ.get("PMI_SIZE")]
    if "PMIX_RANK" in os.environ:
        sizes.append(os.environ.get("SLURM_NTASKS"))
    return max((int(size) for size in sizes if size and size.isdigit()), default=1)


def _rank_started() -> int:
    """Number of this process among them, zero-based."""
    names = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")
    given = [os.environ[name] for name in names if os.environ.get(name, "").isdigit()]
    return int(given[0]) if given else 0


def info(parsed: argparse.Namespace) -> int:
    """`pyfennix info MODEL`."""
    from pyfennix.info import model_facts, text_lines
    from pyfennix.models.registry import load_model

    facts = model_facts(load_model(parsed.model), with_cost=not parsed.no_cost)
    print(json.dumps(facts, indent=2) if parsed.json else "\n".join(text_lines(facts)))
    return 0


def recover(parsed: argparse.Namespace) -> int:
    """`pyfennix recover FILE.h5`."""
    from pyfennix.io.h5md import rewrite

    for name in parsed.files:
        kept = rewrite(Path(name))
        print(f"{name}: {kept} complete frames, readable again")
    return 0


def _parser() -> argparse.ArgumentParser:
    from pyfennix import __version__
    from pyfennix.distillation import command as distill
    from pyfennix.training import command as train

    parser = argparse.ArgumentParser(prog="pyfennix", description="Two-level neural-network MD.")
    parser.add_argument("--version", action="version", version=f"pyfennix {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, summary: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=summary, description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    one = add("info", "what a model is", INFO)
    one.add_argument("model", help="a shipped name, FILE.fnx, FILE.py or FILE.py:Name")
    one.add_argument("--json", action="store_true", help="print JSON (keys: docs/models.md)")
    one.add_argument("--no-cost", action="store_true", help="do not evaluate the model")
    one.set_defaults(action=info)
    one = add("run", "run molecular dynamics", RUN)
    one.add_argument("words", nargs="*", metavar="ARGUMENT",
                     help="NAME and what else fennix-dynamic takes (fennix-dynamic --help)")
    for name, command in (("train", train), ("distill", distill)):
        one = add(name, command.SUMMARY, command.TEXT)
        command.add_arguments(one)
        one.set_defaults(action=command.act)
    one = add("recover", "repair a trajectory after a kill", RECOVER)
    one.add_argument("files", nargs="+", metavar="FILE.h5", help="trajectory")
    one.set_defaults(action=recover)
    return parser


def _guarded(command: str, action: object) -> int:
    """Run an action; one sentence on stderr and status 1 for whatever goes wrong."""
    try:
        return action()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has left, as in `pyfennix info x | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        show_traceback(error)
        name = command if command == "fennix-dynamic" else f"pyfennix {command}"
        print(f"{name}: {sentence(error, name)}", file=sys.stderr)
        return 1
