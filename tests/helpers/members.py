# SPDX-License-Identifier: MIT
"""The members of an ensemble checkpoint as checkpoints of their own."""

from __future__ import annotations

from pathlib import Path

from pyfennix.io.fnx import read_fnx, write_tree


def split_members(path: Path, folder: Path) -> list[Path]:
    """One file for each network that the file's mean energy is made of.

    The file must have the shape of ANI ensembles: networks, a CONCATENATE of their outputs, and an
    ENSEMBLE_STAT whose mean is an energy term. That mean gives way to the one network; the other
    networks, their parameters and whatever reads them are left out.
    """
    tree = read_fnx(path)
    modules = dict(tree["modules"])
    stat, term = next((name, params["mean_key"]) for name, params in modules.items()
                      if params.get("mean_key") in tree["energy_terms"])
    joint = next(params for params in modules.values()
                 if params.get("output_key") == modules[stat]["key"])
    written = []
    for member in joint["keys"]:
        gone = {stat, term, joint["output_key"], *joint["keys"]} - {member}
        kept = [[name, params] for name, params in tree["modules"]
                if name not in gone and params is not joint and params.get("key") not in gone
                and not name.startswith("etot_")]
        names = {name for name, _ in kept}
        parameters = {name: value for name, value in tree["variables"]["params"].items()
                      if name in names or name not in modules}
        written.append(folder / f"{path.stem}_{member}.fnx")
        write_tree(written[-1], tree | {
            "modules": kept,
            "energy_terms": [member if key == term else key for key in tree["energy_terms"]],
            "variables": {"params": parameters},
        })
    return written
