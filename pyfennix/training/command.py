# SPDX-License-Identifier: MIT
"""The command `pyfennix train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pyfennix.exceptions import InputError
from pyfennix.training.settings import TrainSettings, as_tree, read_settings

SUMMARY = "train a model on labelled frames"
TEXT = """\
Train a model on energies, forces and virials of labelled frames, or on what a teacher says of
them. Everything is in a TOML file; --defaults prints one with all settings.

Writes into the folder model.fnx (the best so far), curves.csv and curves.png (errors on frames
held out), checkpoint.pt (for --resume, which gives the weights of an uninterrupted run).

examples:
  pyfennix train --defaults > water.toml
  pyfennix train water.toml --out run1
  pyfennix train water.toml --out run1 --resume
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("config", nargs="?", help="TOML file of settings (docs/training.md)")
    parser.add_argument("--out", help="folder for what is written; default: the file's name")
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    parser.add_argument("--defaults", action="store_true", help="print all settings and stop")


def act(parsed: argparse.Namespace) -> int:
    """Train as the arguments say."""
    if parsed.defaults:
        print(as_toml(TrainSettings()), end="")
        return 0
    if parsed.config is None:
        raise InputError("name a TOML file of settings; --defaults prints one")
    settings = read_settings(parsed.config)
    from pyfennix.training.trainer import train  # torch: --help need not wait for it

    train(settings, Path(parsed.out or Path(parsed.config).with_suffix("").name), parsed.resume)
    return 0


def as_toml(settings: TrainSettings) -> str:
    """The settings as a TOML file."""
    lines: list[str] = []
    for section, values in as_tree(settings).items():
        lines.append(f"[{section}]")
        for key, value in values.items():
            lines.append(f"{key} = {_word(value)}")
        lines.append("")
    return "\n".join(lines)


def _word(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_word(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_word, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else repr(value)
