"""`diswot search`: students for a teacher."""

from pathlib import Path
from typing import Any

import click

from diswot.cli import _options as shared
from diswot.cli._progress import shown_progress
from diswot.cli._tables import candidate_row, print_json, print_table
from diswot.run_folder import next_folder
from diswot.search import SearchResult
from diswot.search import search as run_search


@click.command()
@shared.subject_options
@shared.search_options
@shared.scoring_options
@shared.run_options
def search(out: Path | None, as_json: bool, **chosen: Any) -> None:
    """Find the student that scores best for a teacher, within a budget.

    Example: diswot search --teacher resnet110 --space nas-bench-201 --max-params 500k
    """
    folder = out or next_folder(Path("runs"), "search")
    budget = shared.taken_budget(chosen)
    shared.settle_workers(chosen)
    with shown_progress() as progress:
        result = run_search(budget=budget, out=folder, progress=progress, **chosen)
    if as_json:
        print_json({"folder": str(folder)} | result.to_json())
    else:
        print_search(result, folder)


def print_search(result: SearchResult, folder: Path) -> None:
    """Print the best candidates, and what to do next."""
    settings = result.manifest["settings"]
    rows = [candidate_row(str(place), c) for place, c in enumerate(result.ranking[:10], start=1)]
    rows += [candidate_row(label, choice) for label, choice in result.plain_choices.items()]
    print_table(
        f"The best of {len(result.candidates)} candidates, and plain choices in budget",
        ["", "architecture", "params", "MACs", "score"],
        rows,
        caption=(
            f"Score: {settings['scorer']} ({settings['combination']}), higher is better, mean of "
            f"{settings['repeats']} initialisations and batches, seed {settings['seed']}; "
            f"{len(result.failures)} candidates failed."
        ),
    )
    click.echo(f"Next: diswot distill {folder}")
