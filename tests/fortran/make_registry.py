"""Write the table of Fortran tests: every public `test_*` procedure of the given test modules.

Usage: python make_registry.py registry.f90 test_one.f90 test_two.f90 ...
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HEAD = """\
! SPDX-License-Identifier: MIT
!> All tests, suite by suite; written by make_registry.py.
module test_registry
   use test_runner, only : case_type, new_case
"""
BODY = """\
   implicit none
   private
   public :: add_cases

contains


!> Append every test to the list
subroutine add_cases(cases)
   type(case_type), allocatable, intent(inout) :: cases(:)

"""
TAIL = """\
end subroutine add_cases

end module test_registry
"""


def public_tests(text: str) -> list[str]:
    """Names in the `public ::` statements of a module that begin with test_."""
    joined = re.sub(r"&\s*\n\s*&?", "", text)
    lists = re.findall(r"^\s*public\s*::\s*(.*)$", joined, re.M)
    return [name for names in lists for name in re.findall(r"\btest_\w+", names)]


def registry(paths: list[Path]) -> str:
    """The module that knows all tests."""
    uses, calls = "", ""
    for path in paths:
        module = path.stem
        for name in public_tests(path.read_text(encoding="utf-8")):
            uses += f"   use {module}, only : {name}\n"
            suite = module.removeprefix("test_")
            calls += f'   call new_case(cases, "{suite}", "{name.removeprefix("test_")}", {name})\n'
    return HEAD + uses + BODY + calls + TAIL


def main(output: Path, paths: list[Path]) -> None:
    """Write the registry; a test file beside the others that is not among them is an error."""
    here = Path(__file__).parent
    forgotten = {p.name for p in here.glob("test_*.f90")} - {p.name for p in paths}
    if forgotten:
        sys.exit(f"not in the list of suites in meson.build: {', '.join(sorted(forgotten))}")
    output.write_text(registry(paths), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(p) for p in sys.argv[2:]])
