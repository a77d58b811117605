"""The pages name all that the options take, so that no page is behind the program."""

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
    """Return what `diswot list` says there is, where nothing else was registered before."""
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
    """Whether a page names it; of `hf:FOLDER_OR_ID` and its like the prefix counts."""
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    prefix, colon, _ = name.partition(":")
    end = colon or r"(?![\w-])"
    return bool(re.search(f"`{re.escape(prefix)}{end}", text))


@pytest.mark.parametrize("kind", KINDS)
def test_the_pages_name_everything_that_is_listed(kind: str) -> None:
    assert not [name for name in listings()[kind] if not named(name, *DOCS.glob("*.md"))]


def test_the_search_page_names_every_engine_and_kind_of_teacher() -> None:
    kinds = [name for name in listings()["teachers"] if ":" in name]
    assert not [name for name in (*ENGINES, *kinds) if not named(name, DOCS / "search.md")]
