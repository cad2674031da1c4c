# SPDX-License-Identifier: MIT
"""Every component of the settings goes to the other ranks: one forgotten would keep its default."""

from __future__ import annotations

import re
from pathlib import Path

from helpers.house_rules import strip_fortran

INPUT = Path(__file__).resolve().parents[2] / "fortran" / "input"


def code(text: str) -> str:
    """Fortran without comments, in lower case, continued lines in one."""
    lines = "\n".join(strip_fortran(line).rstrip() for line in text.lower().splitlines())
    return re.sub(r"&\s*\n\s*&?", " ", lines)


def components(text: str) -> list[str]:
    """Names of the components of settings_type, in order."""
    declared = r"^\s*type\b[^\n]*\bsettings_type\s*$(.*?)^\s*end\s*type"
    block = re.search(declared, code(text), re.M | re.S)
    assert block, "there is no type settings_type"
    names = []
    for line in block.group(1).splitlines():
        if "::" not in line:
            assert not line.strip(), f"not a declaration: {line}"
            continue
        entities = line.split("::", 1)[1]
        while "(" in entities or "[" in entities:  # innermost first: extents, constructors
            entities = re.sub(r"\([^()\[\]]*\)|\[[^()\[\]]*\]", "", entities)
        names += [entity.split("=")[0].strip() for entity in entities.split(",")]
    return names


def passed(text: str) -> list[str]:
    """Components that calls of pass and pass_fixed hand to the pipe, in order."""
    call = r"^\s*call\s+pass(?:_fixed)?\s*\(\s*pipe\s*,\s*settings%(\w+)\s*\)"
    return re.findall(call, code(text), re.M)


def test_every_component_is_shared():
    names = components((INPUT / "settings.f90").read_text(encoding="utf-8"))
    assert len(names) > 40
    calls = passed((INPUT / "share_settings.f90").read_text(encoding="utf-8"))
    forgotten = [name for name in names if name not in calls]
    assert not forgotten, f"share_settings.f90 does not pass {', '.join(forgotten)}"
    assert calls == names, "share_settings.f90 passes a component twice or out of order"


def test_components_are_found_in_any_form():
    text = """
   type :: other_type
      integer :: no
   end type other_type
   type, public :: settings_type
      !> Comment :: with, commas
      integer :: One = 1, two(3) = [1, max(2, 3), 4] ! three, four
      character(len=:), allocatable :: text, &
         & more
      type(string_type), allocatable :: list(:, :)
      real(dp) :: x = huge(1.0_dp)
   end type settings_type
"""
    assert components(text) == ["one", "two", "text", "more", "list", "x"]


def test_a_call_in_a_comment_does_not_count():
    text = "   call pass(pipe, settings%a)\n   ! call pass(pipe, settings%b)\n"
    assert passed(text + "   call pass_fixed(pipe, settings%c)\n   x = settings%d\n") == ["a", "c"]
