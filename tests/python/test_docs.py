"""The documentation says what the program does."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from helpers.runs import dynamic

ROOT = Path(__file__).resolve().parents[2]


def test_keyword_page_is_up_to_date():
    tool = runpy.run_path(str(ROOT / "tools" / "write_keywords.py"))
    assert (ROOT / "docs" / "keywords.md").read_text() == tool["page"](tool["table"]()), "make docs"


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("*/*.md"))
                         + sorted(ROOT.glob("examples/*/*.md")), ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_version_is_that_of_the_project(tmp_path):
    said = dynamic(tmp_path, "--version").stdout
    version = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text()).group(1)
    assert version in said
