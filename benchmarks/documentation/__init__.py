"""The tables and figures of the docs, from scorers' cards and the committed results."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.documentation._budgets import (
    early_stopping,
    ranker_overhead,
    ranker_settings,
    training_budget_summary,
    training_budgets,
)
from benchmarks.documentation._figures import FIGURES, drawn
from benchmarks.documentation._formats import formats
from benchmarks.documentation._scores import (
    all_cells,
    catalog,
    discovered,
    leaders,
    mobile,
    published,
    speed,
    student_fit,
    student_fit_truths,
)
from benchmarks.documentation._searches import (
    interruptions,
    search,
    student_fit_budgets,
    student_fit_search,
    thin_budgets,
    thin_differences,
)
from benchmarks.documentation._targets import targets
from benchmarks.documentation._trainings import (
    distilled,
    loss_sources,
    losses,
    presets,
    shortlists,
    training_speed,
)
from diswot.runs.folder import replace_content

DOCS = Path(__file__).parents[2] / "docs"

_TABLES: Mapping[str, Callable[..., str]] = {
    "all_cells": all_cells,
    "catalog": catalog,
    "discovered": discovered,
    "early_stopping": early_stopping,
    "formats": formats,
    "interruptions": interruptions,
    "leaders": leaders,
    "loss_sources": loss_sources,
    "losses": losses,
    "mobile": mobile,
    "presets": presets,
    "published": published,
    "search": search,
    "shortlists": shortlists,
    "speed": speed,
    "student_fit": student_fit,
    "student_fit_budgets": student_fit_budgets,
    "student_fit_search": student_fit_search,
    "student_fit_truths": student_fit_truths,
    "thin_budgets": thin_budgets,
    "thin_differences": thin_differences,
    "targets": targets,
    "distilled": distilled,
    "ranker_overhead": ranker_overhead,
    "ranker_settings": ranker_settings,
    "training_budget_summary": training_budget_summary,
    "training_budgets": training_budgets,
    "training_speed": training_speed,
}

_MARKED = re.compile(r"(<!-- table: (\w+)((?: [\w-]+)*) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return a page with every marked table updated.

    A table stands between `<!-- table: NAME ARGUMENT… -->` and `<!-- end -->`.
    """
    return _MARKED.sub(
        lambda found: f"{found[1]}\n{_TABLES[found[2]](*found[3].split())}\n\n{found[4]}", page
    )


def main() -> None:
    """Update tables and figures; if one fails, no page is changed."""
    pages = {page: filled(page.read_text(encoding="utf-8")) for page in sorted(DOCS.glob("*.md"))}
    figures = {DOCS / "images" / name: drawn(name) for name in FIGURES}
    for page, text in pages.items():
        replace_content(page, text.encode())
    for figure, content in figures.items():
        replace_content(figure, content)
