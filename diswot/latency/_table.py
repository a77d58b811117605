"""Latency looked up in a table of the user's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diswot.csv_table import read_csv
from diswot.errors import DataError, OptionError, SpaceError, UnknownNameError
from search_spaces import Architecture, SearchSpace

ARCH = "arch"

CHECKSUM = "crc32"
"""A column of what a run measured, by which it knows a damaged line."""


@dataclass(frozen=True)
class LatencyTable:
    """Milliseconds by architecture.

    Architectures are looked up as they are, and not by their canonical keys: networks of
    equal keys compute the same, but can do so in more or fewer steps, which take time.

    Attributes:
        path: the file that it was read from.
        column: the column of milliseconds.
        space: the space of the architectures.
        ms: milliseconds of each architecture, by its name in the space.
    """

    path: Path
    column: str
    space: SearchSpace
    ms: Mapping[str, float]

    repeatable = True

    @property
    def name(self) -> str:
        """File and column."""
        return f"column {self.column} of {self.path.name}"

    def __call__(self, arch: Architecture) -> float:
        """Return the milliseconds of `arch`.

        Raises:
            SpaceError: the table does not have it.
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
    """Read a CSV file in UTF-8 with a header, a column `arch` and one of milliseconds.

    Args:
        path: the file.
        space: the space whose architectures stand in the column `arch`, as it writes them.
        column: the column of milliseconds; may be left out where there is only one other.

    Raises:
        DataError: it is missing, no CSV, has an architecture that is not of the space or
            stands there twice, or a latency that is no positive number; the message names
            the line.
        UnknownNameError: there is no such column.
        OptionError: there are several columns, and none is named.
    """
    table = read_csv(path)
    if not table.rows:
        raise DataError(f"{path} has no rows: expected a header and a row per architecture")
    if ARCH not in table.columns:
        raise DataError(f"{path} has no column {ARCH!r}: name its column of architectures so")
    chosen = _chosen(path, table.columns, column)
    archs = table.architectures(table.column(ARCH), space)
    milliseconds = table.numbers(chosen)
    for place, value in enumerate(milliseconds):
        if value <= 0:
            raise table.error(
                place,
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
