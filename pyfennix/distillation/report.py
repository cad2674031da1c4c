# SPDX-License-Identifier: MIT
"""The report of a distillation: ``report.json`` and ``report.html`` with its figures inside."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path

from pyfennix.distillation.difference import HOLE, TAIL
from pyfennix.distillation.figures import draw

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .2rem .8rem; text-align: left;
border-bottom: 1px solid #ddd } .bad { color: #b00020; font-weight: 600 } .good { color: #1b6e3c;
font-weight: 600 } img { max-width: 100% }
"""
_CAPTIONS = {
    "errors.png": "Errors of forces on test frames, by element and by size of the accurate force.",
    "difference.png": "Difference of forces of all atoms at all outer steps of the two-level run.",
    "spectrum.png": "Power of the accurate force and of what the fast model misses of it, along "
                    "dynamics; what lies right of an outer step's line cannot be followed by it.",
    "heating.png": "Temperature that outer steps add, estimated from the power of the difference "
                   "along dynamics (linear response), with the thermostat's friction of the test "
                   "and others.",
}


def write_report(folder: Path, facts: dict) -> None:
    """Write both files; each is replaced at once.

    Raises
    ------
    InputError
        When matplotlib is not installed.
    """
    _replace(folder / "report.json", json.dumps(facts, indent=1))
    figures = draw(folder, facts)
    parts = [f"<h1>Fast model for {html.escape(facts['system'])}</h1>", _verdict(facts)]
    parts += [_table(title, rows) for title, rows in _tables(facts)]
    for name in figures:
        data = base64.b64encode((folder / name).read_bytes()).decode()
        parts.append(f'<p><img src="data:image/png;base64,{data}" alt="{name}"><br>'
                     f"{_CAPTIONS[name]}</p>")
    page = (f"<!doctype html><html lang=en><meta charset=utf-8><title>pyfennix distill</title>"
            f"<style>{_STYLE}</style>{''.join(parts)}</html>\n")
    _replace(folder / "report.html", page)


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _verdict(facts: dict) -> str:
    if "difference" not in facts:
        return "<p>No two-level run was made, so nothing is said about the tail.</p>"
    found = facts["difference"]
    share = found[f"share_above_{TAIL:g}"]
    words = (f"largest difference of forces {found['largest']:.1f} kcal/mol/Å "
             f"({found['largest_element']}), {100 * share:.4f} % above {TAIL:g}")
    failed = facts.get("run", {}).get("failed", "")
    if failed:
        seen = f" Until then: {words}." if found["atoms_times_steps"] else ""
        return (f"<p class=bad>Refused as a default: the two-level run failed "
                f"{html.escape(failed)}.{seen}</p>")
    if found["refused"]:
        return (f'<p class=bad>Refused as a default: {words}; allowed are {HOLE:g} and '
                "0.001 %. Harvest the frames (harvest-force) and repair.</p>")
    return f"<p class=good>No tail: {words}.</p>"


def _tables(facts: dict) -> list[tuple[str, list[tuple[str, str]]]]:
    """(title, rows of name and value) of everything that is known."""
    errors = facts["errors"]
    found = [("Errors on test frames", [
        ("frames", f"{errors['frames']}"), ("force MAE", f"{errors['mae']:.1f} meV/Å"),
        ("force RMSE", f"{errors['rmse']:.1f} meV/Å"),
        *((f"RMSE of {z}", f"{e['rmse']:.1f} meV/Å ({e['atoms']} atoms)")
          for z, e in errors["by_element"].items())])]
    if "cost" in facts:
        cost = facts["cost"]
        found.append((f"Cost of an evaluation, {cost['atoms']} atoms, one thread", [
            ("accurate", f"{cost['accurate_ms']:.2f} ms"), ("fast", f"{cost['fast_ms']:.2f} ms"),
            ("ratio", f"{cost['ratio']:.1f}"),
            ("bound of the speed over 1 fs steps", f"{cost['speed_bound']:.2f}")]))
    if "run" in facts:
        run = facts["run"]
        found.append(("Two-level run", [
            ("length", f"{run['ps']:g} ps, {run['steps']} steps of {run['outer_fs']:g} fs with "
                       f"{run['substeps']} inner ones"),
            *([("mean temperature, mid-step", f"{run['mean_temperature_mid']:.1f} K "
                f"(wanted {run['wanted_temperature']:g})")] if run["steps"] else []),
            ("friction", f"{run['friction']:g} /ps")]))
    if "spectrum" in facts:
        spectrum = facts["spectrum"]
        shares = spectrum["share_above_nyquist"]
        found.append(("What remains for the outer step", [
            ("mean square of the difference over that of the force",
             f"{spectrum['relative_mean_square']:.2e}"),
            ("shortest period", f"{spectrum['shortest_period_fs']:.1f} fs"),
            *((f"power above what {outer} fs can follow", f"{share:.1e}")
              for outer, share in shares.items())]))
    if "heating" in facts:
        heating = facts["heating"]
        rows = zip(heating["outer_fs"], heating["rise_kelvin"], heating["rate_kcal_mol_ps_atom"],
                   strict=True)
        found.append((f"Heating by the outer kicks at {heating['temperature']:.0f} K, estimated", [
            *((f"outer step {outer:g} fs", f"{rise:.2g} K too warm at friction "
               f"{heating['friction']:g}/ps ({rate:.1e} kcal/mol/ps per atom)")
              for outer, rise, rate in rows if outer == int(outer)),
            ("suggested outer step", f"{heating['suggested_outer_fs']:g} fs")]))
    if "repair" in facts:
        before, after = facts["repair"]["before"], facts["repair"]["after"]
        found.append(("Repair, on harvested frames kept from training", [
            ("force RMSE before", f"{before['rmse']:.1f} meV/Å"),
            ("force RMSE after", f"{after['rmse']:.1f} meV/Å")]))
    return found


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{html.escape(a)}</td><td>{html.escape(b)}</td></tr>"
                    for a, b in rows)
    return f"<h2>{html.escape(title)}</h2><table>{cells}</table>"
