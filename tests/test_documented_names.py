"""The documentation names every value of the options, so that it stays up to date."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from diswot.search import ENGINES

pytestmark = pytest.mark.processes

DOCS = Path(__file__).parents[1] / "docs"
KINDS = ("tasks", "teachers", "spaces", "scorers", "losses", "datasets", "benchmarks")
"""What `diswot list` lists."""


@cache
def listings() -> dict[str, list[str]]:
    """Return the output of `diswot list` in a process without other registrations."""
    program = f"""
import json
from click.testing import CliRunner
from diswot.cli._main import cli
for kind in {KINDS}:
    print(CliRunner().invoke(cli, ["list", kind, "--json"], catch_exceptions=False).stdout.strip())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    found: dict[str, dict[str, str]] = {}
    decoder, text = json.JSONDecoder(), done.stdout.strip()
    while text:
        listing, end = decoder.raw_decode(text)
        found, text = found | listing, text[end:].strip()
    return {kind: list(entries) for kind, entries in found.items()}


def named(name: str, *pages: Path) -> bool:
    """Return whether a page has a name; for forms such as `hf:FOLDER_OR_ID`, the prefix."""
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    prefix, colon, _ = name.partition(":")
    end = colon or r"(?![\w-])"
    return bool(re.search(f"`{re.escape(prefix)}{end}", text))


@pytest.mark.parametrize("kind", KINDS)
def test_the_pages_name_everything_that_is_listed(kind: str) -> None:
    assert not [name for name in listings()[kind] if not named(name, *DOCS.glob("*.md"))]


def test_the_search_page_names_all_engines_and_teacher_forms() -> None:
    kinds = [name for name in listings()["teachers"] if ":" in name]
    assert not [name for name in (*ENGINES, *kinds) if not named(name, DOCS / "search.md")]
