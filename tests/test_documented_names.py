"""The pages name all that the options take, so that no page is behind the program."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from diswot.cli._main import cli
from diswot.options import ENGINES

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {
    "teachers": ("teachers.md",),
    "spaces": ("search.md",),
    "scorers": ("scores.md",),
    "losses": ("losses.md",),
    "datasets": ("search.md", "data.md"),
    "benchmarks": ("benchmarks.md",),
}
"""What `diswot list` lists, and the pages that name all of it."""


def listed(kind: str) -> list[str]:
    """Return what `diswot list` says there is."""
    done = CliRunner().invoke(cli, ["list", kind, "--json"])
    assert done.exit_code == 0, done.output
    return list(json.loads(done.stdout)[kind])


def named(name: str, page: str) -> bool:
    """Whether a page names it; of `hf:FOLDER_OR_ID` and its like the prefix counts."""
    text = (DOCS / page).read_text(encoding="utf-8")
    prefix, colon, _ = name.partition(":")
    return f"`{prefix}{colon}" in text if colon else f"`{name}`" in text


@pytest.mark.parametrize(
    ("kind", "page"), [(kind, page) for kind, pages in PAGES.items() for page in pages]
)
def test_a_page_names_everything_that_an_option_takes(kind: str, page: str) -> None:
    assert not [name for name in listed(kind) if not named(name, page)]


def test_the_search_page_names_every_engine_and_kind_of_teacher() -> None:
    kinds = [name for name in listed("teachers") if ":" in name]
    assert not [name for name in (*ENGINES, *kinds) if not named(name, "search.md")]
