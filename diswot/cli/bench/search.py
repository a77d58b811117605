"""`diswot bench search`: comparison of search engines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import Count, Whole, displayed_progress, names, option, print_json, print_table, say
from diswot.cli.bench._options import (
    measurement_options,
    run_options,
    scorers_option,
    truth_options,
)
from diswot.options import SearchOptions
from diswot.runs.folder import next_folder

if TYPE_CHECKING:
    from diswot.bench.search_bench import SearchBench

CAPTION = (
    "after: number of evaluations. accuracy: of the network that the search returns, median over "
    "the seeds. regret: the best accuracy in budget minus that median. gain: the median minus "
    "that of random search after the same number of evaluations, in points, with its 95 % "
    "bootstrap interval over the seeds. "
    "wins: share of pairs of a search and a random search in which the search ends higher. p: "
    "two-sided Mann-Whitney test; better and worse mean p < 0.05. ms: one evaluation, including "
    "building the network and all repeats."
)


@click.command()
@truth_options(
    "A name of `diswot list benchmarks`.",
    target="Accuracies of the truth; by default its column distilled, else its first one.",
)
@scorers_option("diswot,nwot,params")
@click.option(
    "--engines",
    callback=names,
    default="evolution,regularized",
    show_default=True,
    help="Engines to compare with random search, which always runs.",
)
@click.option("--max-params", type=Count(), help="Maximum number of parameters, e.g. 500k.")
@click.option("--max-macs", type=Count(), help="Maximum multiply-adds of one input.")
@click.option("--evaluations", type=Whole(min=1, max=1_000_000), default=200, show_default=True)
@click.option("--seeds", type=Whole(min=2, max=1_000_000), default=20, show_default=True)
@option(SearchOptions, "population")
@measurement_options
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    help="Measurements to resume: a folder of this command or of `bench correlation`.",
)
@run_options
def search(out: Path | None, work: Path | None, workers: int, as_json: bool, **chosen: Any) -> None:
    """Compare search engines with random search by the accuracy of the selected students.

    All architectures of a ground truth are scored once; then every engine searches among
    them with every seed. If the command is interrupted, run it again with the same --out or
    --work to resume it.

    Example: diswot bench search --truth nas-bench-201 --target cifar100 --max-params 500k
    """
    from diswot.bench.search_bench import COLUMNS, SearchBenchSettings, run_search_bench
    from diswot.bench.tables import flat

    settings = SearchBenchSettings(**chosen)
    out = out or next_folder(Path("runs"), "search-bench")
    with displayed_progress() as progress:
        result = run_search_bench(settings, out, work=work, workers=workers, progress=progress)
    if as_json:
        print_json({"folder": str(out), "rows": [flat(row) for row in result.rows]})
        return
    print_table(_title(result), COLUMNS, result.cells(), caption=CAPTION)
    for line in result.remarks:
        say(line)
    say(f"Next: look at {out / 'accuracy.png'}, or read {out / 'search.csv'}")


def _title(search_bench: SearchBench) -> str:
    first = search_bench.curves[0]
    return (
        f"{first.truth}, {first.target}, {first.budget}: {first.in_budget:,} networks in budget, "
        f"the best reaches {first.best:.2f} %; {first.seeds} searches each"
    )
