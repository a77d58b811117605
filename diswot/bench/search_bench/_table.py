"""The table of the search benchmark, and its remarks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from diswot.bench.search_bench._landscape import Landscape
from diswot.bench.search_bench._rows import SearchRow
from diswot.bench.tables import markdown, number

TOY = 0.25
"""Share of evaluated networks from which a remark warns that the space is too small."""

COLUMNS = (
    "name",
    "after",
    "accuracy, quartiles",
    "regret",
    "gain, 95 %",
    "wins",
    "p",
    "verdict",
    "ms",
)


@dataclass(frozen=True)
class SearchBench:
    """The result of the search benchmark.

    Attributes:
        curves: a row per engine, scorer and number of evaluations.
        remarks: notes under the table.
    """

    curves: Sequence[SearchRow]
    remarks: Sequence[str]

    @property
    def rows(self) -> list[SearchRow]:
        """The rows after half and after all evaluations."""
        last = self.curves[-1].evaluations
        return [row for row in self.curves if row.evaluations in checkpoints(last)]

    def cells(self) -> list[list[str]]:
        """Return the table as text, in the order of `COLUMNS`."""
        return [_cells(row) for row in self.rows]

    def markdown(self) -> str:
        """Return the table and the remarks as Markdown."""
        return "\n\n".join([markdown(COLUMNS, self.cells()), *self.remarks]) + "\n"


def checkpoints(total: int) -> tuple[int, int]:
    """Return the numbers of evaluations of the table: half and all."""
    return -(-total // 2), total


def remarks(landscape: Landscape, curves: Sequence[SearchRow]) -> list[str]:
    """Return the notes under the table."""
    last = curves[-1].evaluations
    return [*_limits(landscape, last), *_reasons(curves, last)]


def _limits(landscape: Landscape, total: int) -> Iterator[str]:
    seen = total / landscape.networks
    if seen >= TOY:
        yield (
            f"A toy: {total} evaluations are {seen:.0%} of the {landscape.networks} different "
            "networks in budget, so all engines come to nearly the same."
        )
    if landscape.partial:
        yield (
            f"Searched are the {len(landscape.records):,} architectures whose accuracy is known; "
            "a child that is none of them is replaced by the one that is nearest in its genes."
        )


def _reasons(curves: Sequence[SearchRow], last: int) -> Iterator[str]:
    """Yield for each engine why it is not better than random search."""
    for row in curves:
        if row.why and row.evaluations == last:
            yield f"{row.scorer}, {row.engine}: {row.verdict} than random; {row.why}."


def _cells(row: SearchRow) -> list[str]:
    gain = "–"
    if row.difference is not None:
        low, high = row.difference.low, row.difference.high
        gain = f"{row.difference.value:+.2f} [{low:.2f}, {high:.2f}]"
    return [
        f"{row.scorer}, {row.engine}",
        f"{row.evaluations:,}",
        f"{row.accuracy:.2f} [{row.lower_quartile:.2f}, {row.upper_quartile:.2f}]",
        f"{row.regret:.2f}",
        gain,
        number(row.wins),
        number(row.p, ".2g"),
        row.verdict or "–",
        number(row.milliseconds, ".0f"),
    ]
