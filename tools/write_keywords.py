"""Write docs/keywords.md from `fennix-dynamic --keywords`, so that the page cannot fall behind.

Usage: python tools/write_keywords.py docs/keywords.md
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HEAD = """\
# Keywords

Made by `make docs` from the program's own table (`fennix-dynamic --keywords`); do not edit.

{opening}
"""


def table() -> str:
    """What the installed program says about its keywords."""
    program = Path(sys.executable).with_name("fennix-dynamic")
    line = [program, "--keywords"]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout


def page(text: str) -> str:
    """Markdown of the table: a heading a group, a row a keyword."""
    lines = text.splitlines()
    out = [HEAD.format(opening=lines[0])]
    for line in lines[1:]:
        keyword = re.match(r"  (\S+)\s+(.*?)\s*default: (.*)$", line)
        if keyword:
            name, kind, default = (word.replace("|", "\\|") for word in keyword.groups())
            out.append(f"| `{name}` | {kind} | {default} | ")
        elif line.startswith("    "):
            out[-1] += line.strip().replace("|", "\\|") + " |"
        elif line.strip():
            out += ["", f"## {line}", "", "| keyword | value | default | meaning |",
                    "|---|---|---|---|"]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(table()), encoding="utf-8")
