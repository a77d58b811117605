"""The default search of S0 in a former checkout and in this one, in turn.

`python -m benchmarks.search_speed FORMER`: FORMER is a checkout of the last revision before the
default score changed to version 2. Times are seconds of the processor with one thread.
"""

import statistics
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.compare_checkouts import compare
from benchmarks.results_folder import keep

ROUNDS = 3


@dataclass(frozen=True)
class SearchSpeed:
    """Times of the default search of S0 in two checkouts.

    Attributes:
        former: median of the seconds in the former checkout.
        current: median of the seconds in this checkout.
        ratio: median over the rounds of the ratio of the two.
        lowest: lowest ratio of a round.
        rounds: number of rounds.
    """

    former: float
    current: float
    ratio: float
    lowest: float
    rounds: int


@click.command()
@click.argument(
    "former", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
)
def main(former: Path) -> None:
    """Time both checkouts, and write benchmarks/results/search-speed.csv."""
    started, current = datetime.now(UTC), Path(__file__).parents[1]
    (sides,) = compare(former, current, ROUNDS, commands=["search"]).values()
    ratios = [before / after for before, after in zip(*sides, strict=True)]
    before, after = map(statistics.median, sides)
    row = SearchSpeed(before, after, statistics.median(ratios), min(ratios), ROUNDS)
    git = ["git", "-C", str(former), "rev-parse", "--short", "HEAD"]
    revision = subprocess.run(git, check=True, capture_output=True, text=True)  # noqa: S603
    keep("search-speed", [row], {"former": revision.stdout.strip()}, started)


if __name__ == "__main__":
    main()
