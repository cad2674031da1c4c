# SPDX-License-Identifier: MIT
"""What `pyfennix info` says about a model, as text and as JSON."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from typing import Any

from pyfennix.failure import sentence
from pyfennix.models.adapters.door import AnyModel
from pyfennix.models.cost import estimate_cost
from pyfennix.models.fnx.model import FennixModel
from pyfennix.models.interface import SYMBOLS, Model
from pyfennix.models.total_energy import TotalEnergyModel

# Free text that a file may carry at its top level, or beside our own entries
_NOTES = (
    "license", "licence", "copyright", "description", "about", "authors", "author", "citation",
    "reference", "references", "doi", "url", "version", "date",
)  # fmt: skip


def model_facts(model: AnyModel, with_cost: bool = True) -> dict[str, Any]:
    """Facts of a model by the keys of docs/models.md; numbers in the model's own units."""
    known = None if model.elements is None else [SYMBOLS[z] for z in sorted(model.elements)]
    facts: dict[str, Any] = {
        "name": model.name,
        "kind": "total energy" if isinstance(model, TotalEnergyModel) else "energies of atoms",
        "architecture": _architecture(model),
        "elements": known,
        "energy_unit": model.energy_unit,
        "length_unit": model.length_unit,
        "conservative": model.conservative,
        "uses_total_charge": model.uses_total_charge,
    }
    if isinstance(model, TotalEnergyModel):
        facts["gives_virial"] = model.gives_virial
    else:
        facts |= _local_facts(model)
        facts |= _cost(model) if with_cost else {"cost": None}
    return facts | {"notes": _notes(model)}


def _local_facts(model: Model) -> dict[str, Any]:
    """What only a model with energies of atoms has."""
    facts = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "cutoff": model.cutoff,
        "graphs": {"graph": model.cutoff},
        "interaction_range": model.halo,
        "exchanges_features": model.exchanges_features,
    }
    if isinstance(model, FennixModel):
        live = set(map(id, model.live_modules))
        facts["graphs"] = model.cutoffs
        facts["energy_terms"] = list(model.energy_terms)
        members = [model.widths[key] for key in model.ensembles]
        facts["ensemble_members"] = members[0] if members else None
        facts["modules"] = [
            {
                "name": entry,
                "module": _identifier(entry, params),
                "parameters": sum(p.numel() for p in model.parts[entry].parameters()),
                "used": id(model.parts[entry]) in live,
            }
            for entry, params in model.config["modules"]
        ]
    return facts


def _cost(model: Model) -> dict[str, Any]:
    """Estimated cost, or the reason why the model cannot be evaluated."""
    try:
        return {"cost": asdict(estimate_cost(model))}
    except Exception as error:
        what = f"the evaluation of {model.name}"
        return {"cost": None, "cost_error": sentence(error, what, model)}


def _identifier(entry: str, params: dict) -> str:
    return str(params.get("module_name", params.get("FID", entry)))


def _architecture(model: AnyModel) -> str:
    """The class, or for a module list its embedding with its settings."""
    if isinstance(model, TotalEnergyModel):
        return model.label
    if not isinstance(model, FennixModel):
        return type(model).__name__
    texts = []
    for entry, params in model.config["modules"]:
        if params.get("graph_key") is None or "embedding_key" not in params:
            continue
        numbers = [f"{key} {value}" for key, value in params.items()
                   if isinstance(value, int | float) and not isinstance(value, bool)]
        texts.append(f"{_identifier(entry, params)} ({', '.join(numbers)})")
    return ", ".join(texts) or type(model).__name__


def _notes(model: AnyModel) -> dict[str, str]:
    """Licence, description and the like, in the words of whoever made the model."""
    notes = {"description": model.description} if model.description else {}
    config = getattr(model, "config", {})
    own = config.get("pyfennix", {}) if isinstance(config.get("pyfennix", {}), dict) else {}
    about = own.get("about") if isinstance(own.get("about"), dict) else {}
    for source in (config, own, about):
        notes |= {key: str(source[key]) for key in _NOTES
                  if isinstance(source.get(key), str | int | float) and source[key] != ""}
    return notes


def text_lines(facts: dict[str, Any]) -> list[str]:
    """The same for people, a line each."""
    unit = facts["length_unit"]
    virial = {True: "given", False: "none, so that runs have no pressure"}
    rows = {
        "name": facts["name"],
        "kind": facts["kind"],
        "architecture": facts["architecture"],
        "parameters": facts.get("parameters"),
        "cutoff": _cutoffs(facts.get("graphs"), unit),
        "interaction range": None if "cutoff" not in facts
        else f"{facts['interaction_range']:g} {unit}",
        "elements": compact(facts["elements"]),
        "energy unit": facts["energy_unit"],
        "energy terms": ", ".join(facts.get("energy_terms") or []) or None,
        "ensemble members": facts.get("ensemble_members"),
        "total charge": "used" if facts["uses_total_charge"] else "ignored",
        "conservative": "yes" if facts["conservative"] else "no",
        "virial": virial.get(facts.get("gives_virial")),
    }
    rows |= _cost_rows(facts.get("cost")) | {"cost": facts.get("cost_error")}
    rows |= {key: " ".join(value.split()) for key, value in facts["notes"].items()}
    width = max(map(len, rows))
    lines = [f"{name:<{width}}  {value}" for name, value in rows.items() if value is not None]
    return lines + _module_lines(facts.get("modules") or [])


def _cutoffs(graphs: dict[str, float] | None, unit: str) -> str | None:
    if graphs is None:
        return None
    if len(graphs) == 1:
        return f"{next(iter(graphs.values())):g} {unit}"
    return ", ".join(f"{name} {cutoff:g} {unit}" for name, cutoff in graphs.items())


def _cost_rows(cost: dict[str, float] | None) -> dict[str, str]:
    if cost is None:
        return {}
    return {
        "cost per atom": f"{_short(cost['matrix_operations'])} operations in matrix products, "
        f"{_short(cost['other_operations'])} others, {_short(cost['bytes_moved'])}B moved, "
        f"{_short(cost['memory'])}B held",
        "": f"(energy, forces and virial at {cost['density']:g} atoms/Å³, "
        f"{cost['pairs']:.0f} pairs an atom, compiled kernels off)",
    }


def _short(number: float) -> str:
    """``1.23 M``."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= factor:
            return f"{number / factor:.3g} {letter}"
    return f"{number:.3g} "


def _module_lines(modules: list[dict[str, Any]]) -> list[str]:
    """A table of the module list; what no energy depends on is never evaluated."""
    if not modules:
        return []
    name = max(len(m["name"]) for m in modules)
    kind = max(len(m["module"]) for m in modules)
    return ["modules"] + [
        f"  {m['name']:<{name}}  {m['module']:<{kind}}  {m['parameters'] or '':>9}"
        f"{'' if m['used'] else '  not evaluated'}".rstrip()
        for m in modules
    ]


def compact(symbols: list[str] | None) -> str:
    """``H, C-F, P-Cl`` for neighbours in the periodic table; "all" for None."""
    if symbols is None:
        return "all"
    numbers = sorted(SYMBOLS.index(symbol) for symbol in symbols)
    parts = []
    for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        found = [SYMBOLS[z] for _, z in run]
        parts.append(f"{found[0]}-{found[-1]}" if len(found) > 2 else ", ".join(found))
    return ", ".join(parts) or "none"
