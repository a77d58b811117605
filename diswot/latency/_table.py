"""Look up latencies in a table provided by the user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diswot.csv_table import read_csv
from diswot.errors import DataError, OptionError, SpaceError, UnknownNameError
from search_spaces import Architecture, SearchSpace

ARCH = "arch"

CHECKSUM = "crc32"
"""Column of checksums in the tables that runs write; ignored here."""


@dataclass(frozen=True)
class LatencyTable:
    """A latency source that looks up latencies by the name of the architecture.

    Canonical keys are not used, because networks with equal keys compute the same function, but
    possibly in more steps.

    Attributes:
        path: the file.
        column: column of milliseconds.
        space: the search space.
        ms: milliseconds by name of the architecture.
    """

    path: Path
    column: str
    space: SearchSpace
    ms: Mapping[str, float]

    repeatable = True

    @property
    def name(self) -> str:
        """Description: file and column."""
        return f"column {self.column} of {self.path.name}"

    def __call__(self, arch: Architecture) -> float:
        """Return the latency of `arch` in milliseconds.

        Raises:
            SpaceError: the table has no row for it.
        """
        name = self.space.to_string(arch)
        if name not in self.ms:
            raise SpaceError(
                f"{self.path} has no latency of {name}: add a row for it, "
                "or use measured or predicted latencies"
            )
        return self.ms[name]


def read_latency_table(
    path: Path, *, space: SearchSpace, column: str | None = None
) -> LatencyTable:
    """Read a UTF-8 CSV file with a header, a column `arch` and a column of milliseconds.

    Args:
        path: the file.
        space: the search space; `arch` has the names of its architectures.
        column: column of milliseconds; not needed if there is only one other column.

    Raises:
        DataError: the file is missing or not a CSV, an architecture is invalid or occurs twice,
            or a latency is not a positive number; the message names the line.
        UnknownNameError: there is no such column.
        OptionError: there are several columns, and none is given.
    """
    table = read_csv(path)
    if not table.rows:
        raise DataError(f"{path} has no rows: expected a header and a row per architecture")
    if ARCH not in table.columns:
        raise DataError(f"{path} has no column {ARCH!r}: name its column of architectures so")
    chosen = _chosen(path, table.columns, column)
    archs = table.architectures(table.column(ARCH), space)
    milliseconds = table.numbers(chosen)
    for index, value in enumerate(milliseconds):
        if value <= 0:
            raise table.error(
                index,
                f"expected positive milliseconds in the column {chosen!r}, but got {value:g}: "
                "correct it, or leave the row out",
            )
    names = map(space.to_string, archs)
    return LatencyTable(
        path, chosen, space, dict(zip(names, map(float, milliseconds), strict=True))
    )


def _chosen(path: Path, header: Sequence[str], column: str | None) -> str:
    others = [name for name in header if name not in (ARCH, CHECKSUM)]
    if column is None:
        if len(others) == 1:
            return others[0]
        raise OptionError(
            f"{path} has {len(others)} columns other than {ARCH!r}: name the one of milliseconds "
            f"with --latency-column ({', '.join(others) or 'there is none'})"
        )
    if column not in others:
        raise UnknownNameError(f"column of {path}", column, others)
    return column
