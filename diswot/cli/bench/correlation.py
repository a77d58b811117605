"""`diswot bench correlation`: how well scores rank students."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import displayed_progress, option, options, print_json, print_table, say
from diswot.cli._declared import flagged
from diswot.cli.bench._options import (
    measurement_options,
    run_options,
    scorers_option,
    truth_options,
)
from diswot.options import ScoringOptions
from diswot.runs.folder import next_folder

if TYPE_CHECKING:
    from diswot.bench.correlation_run import CorrelationTable

CAPTION = (
    "* is a baseline. Intervals are 95 % bootstrap intervals over the architectures. one repeat: "
    "τ of a single repeat, mean ± standard deviation over the repeats. top 10 %: Spearman among "
    "the most "
    "accurate tenth. regret: points of accuracy lost by taking the best of the 1, 5, 10 highest "
    "scores. τ | params: Kendall's partial τ given the parameter count. ms: time of the scorer "
    "alone, including building the network."
)


@click.command()
@truth_options(
    "A name of `diswot list benchmarks`, or your own CSV file.",
    target="Accuracies of a built-in truth; by default its column distilled, else its first one.",
)
@click.option(
    "--table", help="Official file of nas-bench-101 (.tfrecord); by default in the data root."
)
@click.option("--column", help="Column of accuracies in your own file.")
@flagged("--space", help="Space of your own file: a name or package.module:Class.")
@flagged("--data", help="Dataset to score on; a built-in truth has its own.")
@scorers_option("all")
@measurement_options
@option(
    ScoringOptions,
    "teacher_state",
    default="random",
    show_default=True,
    help="Teacher weights that scores use; student_fit_1, attention_relations and "
    "teacher_alignment are designed for trained weights.",
)
@options.TEACHER_WEIGHTS
@run_options
def correlation(out: Path | None, workers: int, as_json: bool, **chosen: Any) -> None:
    """Compare rankings by score with rankings by measured accuracy.

    Baselines are always included. If the command is interrupted, run it again with the same
    --out to resume it.

    Example: diswot bench correlation --truth digits-s0 --scorers diswot,nwot,snip
    """
    from diswot.bench.correlation_run import COLUMNS, CorrelationSettings, run_correlation
    from diswot.bench.tables import flat

    out = out or next_folder(Path("runs"), "correlation")
    with displayed_progress() as progress:
        table = run_correlation(
            CorrelationSettings(**chosen), out, workers=workers, progress=progress
        )
    if as_json:
        print_json({"folder": str(out), "rows": [flat(row) for row in table.rows]})
        return
    print_table(_title(table), COLUMNS, table.cells(), caption=CAPTION)
    for line in table.remarks:
        say(line)
    target = table.rows[0].target
    say(f"Next: look at {out / f'{target}-bars.png'}, or read {out / f'{target}.csv'}")


def _title(table: CorrelationTable) -> str:
    first = table.rows[0]
    return f"{first.truth}, {first.target}: {first.architectures:,} architectures"
