"""The architecture as a checker: each rule takes a file's path and text and returns complaints."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import PurePosixPath

FORTRAN_LAYERS = (
    "base", "comm", "system", "input", "parallel", "neighbor", "force", "dynamics", "report",
    "simulation", "api", "host", "main",
)
PYTHON_LAYERS = (
    ("exceptions", "units", "seam", "state", "failure", "progress", "resources", "wrap"),
    ("io", "models", "weights"),
    ("fragments",),
    ("training",),
    ("provider_handle", "halo_exchange", "callback", "frames", "holes", "host"),
    ("engine", "virtual_ranks"),
    ("start",),
    ("simulation",),
    ("distillation", "analysis", "rerun", "info"),
    ("cli",),
    ("__main__", "__init__"),
)
FILE_CEILING = {".f90": 400, ".c": 400, ".py": 300}
PROCEDURE_CEILING = 60

_USE = re.compile(r"^\s*use\b\s*(,\s*intrinsic\s*)?(::)?\s*(\w+)(.*)$", re.I)
_PROCEDURE = re.compile(
    r"^\s*((pure|elemental|impure|recursive|module|logical|integer|real|type|character)\b[^!'\"]*?)?"
    r"\b(subroutine|function)\s+(\w+)\s*(\(|$)", re.I)
_END = re.compile(r"^\s*end\s*(subroutine|function)\b", re.I)
_STOP = re.compile(r"^\s*(if\s*\(.*\)\s*)?(error\s+)?stop\b(?!\s*[=%:(])", re.I)
_BLOCK = re.compile(
    r"^\s*(abstract\s+interface|interface|enum\b|type\s*(,.*)?(::)?\s*\w+\s*$)", re.I)
_DECLARATION = re.compile(
    r"(integer|real|logical|character|complex|type\s*\(|class\s*\()(?!.*(\bparameter\b|\bbind\s*\(c))")
_END_BLOCK = re.compile(r"^\s*end\s*(interface|enum|type)\b", re.I)


def fortran_layer(path: str) -> str:
    """The layer of a file below fortran/: its folder, or its own name at the top."""
    parts = PurePosixPath(path).parts
    return parts[1] if len(parts) > 2 else PurePosixPath(path).stem


def strip_fortran(line: str, strings: bool = False) -> str:
    """The code of a line: no comment, and string literals emptied unless ``strings``."""
    out, quote = [], ""
    for char in line:
        if quote:
            if char == quote:
                quote = ""
            elif not strings:
                continue
        elif char in "'\"":
            quote = char
        elif char == "!":
            break
        out.append(char)
    return "".join(out)


def fortran_uses(path: str, text: str, home: dict[str, str]) -> list[str]:
    """Arrows against the layers, and `use` without `only`; ``home`` maps module -> layer."""
    found = []
    layer = fortran_layer(path)
    if layer not in FORTRAN_LAYERS:
        return [f"{path}: no such layer: {layer}"]
    for number, line in enumerate(text.splitlines(), 1):
        match = _USE.match(strip_fortran(line))
        if not match:
            continue
        module, rest = match.group(3).lower(), match.group(4)
        if "only" not in rest.lower():
            found.append(f"{path}:{number}: use {module} without only")
        other = home.get(module)
        if other and FORTRAN_LAYERS.index(other) > FORTRAN_LAYERS.index(layer):
            found.append(f"{path}:{number}: {layer} must not use {module} of {other}")
    return found


def fortran_words(path: str, text: str) -> list[str]:
    """Names that belong to one room only: MPI, Python, stop, printing, goto, common."""
    layer = fortran_layer(path)
    rules = []
    if layer != "comm":
        rules.append((r"\bmpi(_\w*)?\b", "names MPI outside comm/"))
    if layer not in ("host", "main"):
        rules.append((r"\w*(torch|python|pyfennix|numpy)\w*", "names Python outside host/"))
    if layer not in ("report", "main") and path != "fortran/input/prompt.f90":
        rules.append((r"\bprint\s*\*|\bwrite\s*\(\s*(\*|(output|error)_unit)",
                      "prints outside report/"))
    rules.append((r"\bgo\s?to\b|^\s*common\s*/", "goto or common"))
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        code = strip_fortran(line)
        found += [f"{path}:{number}: {what}" for rule, what in rules if re.search(rule, code, re.I)]
        if layer != "main" and _STOP.match(code):
            found.append(f"{path}:{number}: stop outside main.f90")
    return found


def fortran_module(path: str, text: str) -> list[str]:
    """`implicit none` and `private` in each module, and no module variables."""
    code = [strip_fortran(line).strip().lower() for line in text.splitlines()]
    heads = [k for k, line in enumerate(code) if re.match(r"module\s+(?!procedure)\w+$", line)]
    found = []
    for start in heads:
        rest = code[start + 1:]
        end = next((k for k, line in enumerate(rest)
                    if line == "contains" or line.startswith("end module")), len(rest))
        head = rest[:end]
        found += [f"{path}: module without {word}" for word in ("implicit none", "private")
                  if word not in head]
        found += [f"{path}:{start + k + 2}: module variable" for k in _variables(head)]
    return found


def _variables(head: list[str]) -> list[int]:
    """Lines of a module's head that declare a variable."""
    inside, found, continued = 0, [], False
    for k, line in enumerate(head):
        if _END_BLOCK.match(line):
            inside -= 1
        elif _BLOCK.match(line):
            inside += 1
        elif not inside and not continued and _DECLARATION.match(line):
            found.append(k)
        continued = line.endswith("&")
    return found


def fortran_procedures(path: str, text: str) -> list[str]:
    """Procedures longer than the ceiling; documentation lines do not count."""
    found, open_at, count, name = [], [], [], []
    for number, line in enumerate(text.splitlines(), 1):
        code = strip_fortran(line)
        documentation = line.lstrip().startswith("!>")
        count = [c + (not documentation) for c in count]
        match = _PROCEDURE.match(code)
        if match and not _END.match(code):
            open_at.append(number)
            count.append(1)
            name.append(match.group(4))
        elif _END.match(code) and open_at:
            lines, begin, what = count.pop(), open_at.pop(), name.pop()
            if lines > PROCEDURE_CEILING:
                found.append(f"{path}:{begin}: {what} has {lines} lines")
    return found


def python_procedures(path: str, text: str) -> list[str]:
    """Functions longer than the ceiling; their docstrings do not count."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = node.end_lineno - node.lineno + 1
        if ast.get_docstring(node) is not None:
            lines -= node.body[0].end_lineno - node.body[0].lineno + 1
        if lines > PROCEDURE_CEILING:
            found.append(f"{path}:{node.lineno}: {node.name} has {lines} lines")
    return found


def python_layer(module: str) -> int | None:
    """Position of pyfennix.<module> in the layers."""
    return next((k for k, layer in enumerate(PYTHON_LAYERS) if module in layer), None)


def python_imports(path: str, text: str) -> list[str]:
    """Arrows against the layers, and the extension module outside engine.py."""
    parts = PurePosixPath(path).with_suffix("").parts
    own = parts[1]
    if python_layer(own) is None:
        return [f"{path}: no such layer: {own}"]
    found = []
    for number, name in _imported(ast.parse(text), parts):
        target = name.split(".")[1]
        rank = python_layer(target)
        if target in ("_core", "core") and own != "engine":
            found.append(f"{path}:{number}: only engine.py may import {target}")
        elif rank is not None and rank > python_layer(own):
            found.append(f"{path}:{number}: {own} must not import {name}")
    return found


def _imported(tree: ast.AST, parts: tuple[str, ...]):
    """(line, dotted name) of everything of pyfennix that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(parts[:len(parts) - node.level]) if node.level else []
            base += node.module.split(".") if node.module else []
            names = [".".join([*base, alias.name]) for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.startswith("pyfennix."))


def model_words(path: str, text: str) -> list[str]:
    """Names in models/ that a model must not know."""
    forbidden = {"mpi4py", "MPI", "_core", "rank", "ranks", "n_ranks", "world_size"}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [f"{path}:{token.start[0]}: a model must not know {token.string}"
            for token in tokens if token.type == tokenize.NAME and token.string in forbidden]


def ceiling(path: str, text: str) -> list[str]:
    """Files longer than the ceiling."""
    most = FILE_CEILING.get(PurePosixPath(path).suffix)
    lines = len(text.splitlines())
    return [f"{path}: {lines} lines, at most {most}"] if most and lines > most else []


def purpose(path: str, text: str) -> list[str]:
    """Source files that do not say in one line what they are for."""
    head = text.splitlines()[:3]
    suffix = PurePosixPath(path).suffix
    if suffix == ".f90":
        good = head[:1] == ["! SPDX-License-Identifier: MIT"] and any(
            line.startswith("!> ") for line in head)
    elif suffix == ".py":
        good = not text.strip() or ast.get_docstring(ast.parse(text)) is not None
    elif suffix == ".c":
        good = any(re.search(r"(/\*|//)", line) for line in head)
    else:
        good = any(line.startswith("# ") for line in head)
    return [] if good else [f"{path}: does not say in one line what it is for"]


def private_places(path: str, text: str) -> list[str]:
    """Names of places that exist on a developer's machine only."""
    names = "|".join(("work", "root", "tmp", "home"))
    rule = re.compile(rf"(?<![\w.$}}~-])/({names})(/[\w.-]|\b(?!/))")
    return [f"{path}:{number}: names a private place: {line.strip()[:80]}"
            for number, line in enumerate(text.splitlines(), 1) if rule.search(line)]
