# SPDX-License-Identifier: MIT
"""The last round's model as it is handed out: with the accurate model's zero of energy."""

from __future__ import annotations

from pathlib import Path

import torch

from pyfennix.io.fnx import read_fnx
from pyfennix.models.density.module import DensityModule
from pyfennix.models.fnx.checkpoint import load_fnx, save_fnx
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.interface import SYMBOLS
from pyfennix.units import EV_IN_KCAL, energy_in_kcal

# eV of an atom, beyond which float32 parameters would round energies to more than 4e-6 eV
_LARGEST = 50.0


def hand_out(trained: Path, final: Path, accurate: object, systems: list[str],
             energies: bool = True) -> None:
    """Write ``final``, the trained model with a description and, where its networks can hold them,
    the atomic energies that training had taken off the labels.

    One network for several elements cannot, nor can float32 hold those of whole electron shells;
    then energies stay relative to what the file says under ``energies_relative_to_eV``. Without
    ``energies`` among the labels the model's have no zero, and the file says that.
    """
    model, about = load_fnx(trained), dict(read_fnx(trained)["pyfennix"]["about"])
    references = about["energies_relative_to_eV"]
    if not energies:
        del about["energies_relative_to_eV"]
    elif _add_references(model, references):
        about["energies_relative_to_eV"] = dict.fromkeys(references, 0.0)
    name, words = getattr(accurate, "name", ""), getattr(accurate, "description", "")
    about["description"] = (f"{', '.join(systems)}; distilled from {name}"
                            + (f" ({words})" if words else "")
                            + ("" if energies else "; forces alone, energies have no zero"))
    temporary = final.with_name(final.name + ".tmp")
    save_fnx(temporary, model, about)
    temporary.replace(final)


def _add_references(model: FennixModel, references: dict[str, float]) -> bool:
    """Whether the last biases of a network per element could take the references up."""
    found = [part for part in model.modules() if isinstance(part, DensityModule)]
    if len(found) != 1 or max(map(abs, references.values()), default=0.0) > _LARGEST:
        return False
    per_ev = EV_IN_KCAL / energy_in_kcal(model.energy_unit)
    with torch.no_grad():
        for number, net in zip(found[0].elements, found[0].networks, strict=True):
            bias = net.get_submodule(f"Layer_{net.depth}").bias
            bias += references.get(SYMBOLS[number], 0.0) * per_ev
    return True
