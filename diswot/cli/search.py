"""`diswot search`: search students for a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import _options as shared
from diswot.cli._command import Command
from diswot.cli._progress import tracked_progress
from diswot.cli._search_options import scoring_options, search_options, settle_workers, taken_budget
from diswot.cli._short_trainings import print_trainings
from diswot.cli._tables import EXTRA_COSTS, candidate_row, print_json, print_table, teacher_seen
from diswot.cli._terminal import say
from diswot.devices import check_alone
from diswot.runs.folder import next_folder

if TYPE_CHECKING:
    from diswot.search import SearchResult


@click.command(cls=Command, takes_config=True)
@shared.subject_options
@search_options
@scoring_options
@shared.run_options
def search(out: Path | None, as_json: bool, track: Sequence[str] | None, **chosen: Any) -> None:
    """Search for the student with the highest score within a budget.

    Example: diswot search --teacher resnet110 --space nas-bench-201 --max-params 500k
    """
    from diswot.search import search as run_search

    folder = out or next_folder(Path("runs"), "search")
    budget = taken_budget(chosen)
    check_alone("diswot search")
    settle_workers(chosen)
    with tracked_progress(track, folder) as progress:
        result = run_search(budget=budget, out=folder, progress=progress, **chosen)
    if as_json:
        print_json({"folder": str(folder)} | result.to_json())
    else:
        print_search(result, folder)


def latency_caption(result: SearchResult) -> str:
    """Return a caption with the source of latencies; empty without latencies."""
    source = result.manifest.get("latency_source")
    return f" Latency: one image, {source}." if source else ""


def print_search(result: SearchResult, folder: Path) -> None:
    """Print the best candidates or the Pareto front, and the next command."""
    settings = result.manifest["settings"]
    several = len(result.manifest["engine"]["objectives"]) > 1
    if several:
        what = f"The Pareto front of {', '.join(result.objectives)}"
        knee = result.knee.name
        rows = [("knee" if c.name == knee else str(n), c) for n, c in enumerate(result.front, 1)]
    else:
        what = "The best"
        rows = [(str(index), c) for index, c in enumerate(result.promising[:10], start=1)]
    rows += result.baselines.items()
    costs = [name for name in EXTRA_COSTS if getattr(result.best.costs, name) is not None]
    over = f"; {len(result.over_budget)} over budget, not scored" if result.over_budget else ""
    print_table(
        f"{what} of {len(result.candidates)} candidates, and the baselines in budget",
        ["", "architecture", "params", "MACs", *costs, "score"],
        [candidate_row(label, candidate, costs) for label, candidate in rows],
        caption=(
            f"Score: {settings['scorer']} ({settings['combination']}; "
            f"{teacher_seen(settings)}), higher is better, mean of "
            f"{settings['repeats']} initializations and batches, seed {settings['seed']}; "
            f"{len(result.failures)} candidates failed{over}.{latency_caption(result)}"
        ),
    )
    print_trainings(result)
    say(f"Next: diswot distill {folder}, or look at it: diswot report {folder}")
