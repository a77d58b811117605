"""`diswot bench paper`: published figures next to ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from diswot.bench import EMBEDDED
from diswot.cli import options, print_json, print_table, say
from diswot.cli.bench._options import OUT
from diswot.runs.folder import new_folder, next_folder

if TYPE_CHECKING:
    from diswot.bench.paper import PaperRow

PUBLISHED = EMBEDDED / "published"


@click.command()
@click.option(
    "--published",
    type=click.Path(path_type=Path),
    help="Folder of published figures; by default the ones that come with DisWOT.",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    help="A table of `diswot bench correlation`, or a folder of them; by default the ones that "
    "come with DisWOT.",
)
@options.DATA_ROOT
@OUT
@options.JSON
def paper(
    published: Path | None,
    results: Path | None,
    data_root: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Print published figures next to ours, misses included.

    Example: diswot bench paper --data-root data
    """
    from diswot.bench.paper import paper_table
    from diswot.bench.tables import write_csv
    from diswot.tasks.images import data_root as find_root

    root = find_root(data_root)
    rows = paper_table(published or PUBLISHED, results or EMBEDDED, root)
    out = new_folder(out or next_folder(Path("runs"), "paper"))
    write_csv(out / "paper.csv", rows)
    if as_json:
        print_json({"rows": [vars(row) for row in rows]})
        return
    print_table(
        "Paper against ours",
        ["what it is", "paper", "ours", "95 %", "n", "verdict"],
        [_cells(row) for row in rows],
        caption=(
            "The interval is the one of our value, widened by the sampling error of the paper's "
            "own architectures and by the spread between initializations."
        ),
    )
    counted = {v: sum(row.verdict == v for row in rows) for v in ("agrees", "miss", "not tested")}
    say(", ".join(f"{count} {verdict}" for verdict, count in counted.items()))
    say(f"Next: the table is in {out / 'paper.csv'}, with the reasons")


def _cells(row: PaperRow) -> list[str]:
    from diswot.bench.tables import number

    places = ".3f" if row.ours is None or abs(row.ours) <= 1 else ".2f"
    interval = "–" if row.low is None else f"{number(row.low)} … {number(row.high)}"
    return [
        f"{row.setting}: {row.quantity}",
        number(row.paper, places),
        number(row.ours, places),
        interval,
        "–" if row.n is None else str(row.n),
        row.verdict,
    ]
