"""The tables of the docs, from scorers' cards and the committed results."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.documentation._scores import (
    all_cells,
    catalogue,
    correlation,
    fidelity,
    paper,
    speed,
    student_fit,
)
from benchmarks.documentation._searches import (
    lasting,
    search,
    student_fit_budgets,
    student_fit_search,
)
from benchmarks.documentation._trainings import losses, presets, shortlists, taught, training_speed
from diswot.runs.folder import replace_content

DOCS = Path(__file__).parents[2] / "docs"

_TABLES: Mapping[str, Callable[..., str]] = {
    "all_cells": all_cells,
    "catalogue": catalogue,
    "correlation": correlation,
    "fidelity": fidelity,
    "lasting": lasting,
    "losses": losses,
    "paper": paper,
    "presets": presets,
    "search": search,
    "shortlists": shortlists,
    "speed": speed,
    "student_fit": student_fit,
    "student_fit_budgets": student_fit_budgets,
    "student_fit_search": student_fit_search,
    "taught": taught,
    "training_speed": training_speed,
}

_MARKED = re.compile(r"(<!-- table: (\w+)((?: [\w-]+)*) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return a page with every marked table made anew.

    A table stands between `<!-- table: NAME ARGUMENT… -->` and `<!-- end -->`.
    """
    return _MARKED.sub(
        lambda found: f"{found[1]}\n{_TABLES[found[2]](*found[3].split())}\n\n{found[4]}", page
    )


def main() -> None:
    """Make the tables of all pages again; where one cannot be made, every page stays."""
    made = {page: filled(page.read_text(encoding="utf-8")) for page in sorted(DOCS.glob("*.md"))}
    for page, text in made.items():
        replace_content(page, text.encode())
