"""`diswot compare`: several runs in a table and on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from diswot.cli import _options as shared
from diswot.cli._tables import count, optional, print_json, print_table
from diswot.cli._terminal import say

if TYPE_CHECKING:
    from diswot.report import Comparison

_WIDTH = 80
"""Width of the tables if the output is not a terminal."""


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="comparison.html",
    show_default=True,
    help="The page to write.",
)
@shared.JSON
def compare(runs: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Compare RUNs of one task: students with intervals, settings, fronts and curves.

    Prints a table and writes a self-contained HTML page.

    Example: diswot compare runs/small runs/large
    """
    from diswot.report import compare_runs

    result = compare_runs(runs, out=out)
    if as_json:
        print_json(result.to_json())
        return
    _print(result)
    say(f"Wrote {result.page}")
    say("Next: open it in a browser; it needs no network")


def _print(comparison: Comparison) -> None:
    tests = [row.test for row in comparison.rows if row.test is not None]
    latencies = any(row.latency_ms is not None for row in comparison.rows)
    columns = ["run", *([f"test {tests[0].name}"] if tests else []), "params", "MACs"]
    columns += ["ms"] if latencies else []
    rows = []
    for row in comparison.rows:
        cells = [row.run]
        if tests:
            cells.append("–" if row.test is None else str(row.test))
        cells += ["–" if number is None else count(number) for number in (row.params, row.macs)]
        if latencies:
            cells.append(optional(row.latency_ms, ".2f"))
        rows.append([*cells, optional(row.score, ".5g"), row.architecture])
    columns += ["score", "architecture"]
    print_table(f"{len(rows)} runs compared: {comparison.task}", columns, rows, piped=_WIDTH)
    names = [row.run for row in comparison.rows]
    differ = [[name, *values] for name, values in comparison.differences.items()]
    if differ:
        say("")
        print_table("Settings that differ", ["setting", *names], differ, piped=_WIDTH, words=True)
    for note in comparison.notes:
        say(f"note: {note}")
