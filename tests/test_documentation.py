"""Every Python example in the README and in the docs runs."""

import re
from pathlib import Path

import pytest

from benchmarks.documentation import filled
from benchmarks.documentation._figures import FIGURES, drawn

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TUTORIAL = ROOT / "docs" / "getting-started.md"
"""Run as a whole by tests/test_getting_started.py."""
EXAMPLES = [
    pytest.param(code, id=f"{page.relative_to(ROOT).with_suffix('')}-{number}")
    for page in PAGES
    if page != TUTORIAL
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
]


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISWOT_DATA", str(tmp_path / "data"))
    exec(compile(code, "example", "exec"), {"__name__": "example"})


def test_the_readme_has_a_quick_start_and_a_space_of_15_lines() -> None:
    quick_start, space = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    assert "diswot.export(" in quick_start
    declared = space[space.index("class ") :].strip().splitlines()
    assert len(declared) <= 15


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_are_valid(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_in_pages_equal_cards_and_committed_results(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert filled(text) == text, "run `make docs`"


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_drawn_from_the_committed_results(name: str) -> None:
    assert (ROOT / "docs" / "images" / name).read_bytes() == drawn(name), "run `make docs`"
