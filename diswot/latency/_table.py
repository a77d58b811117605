"""Latency looked up in a table of the user's own."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diswot.errors import DataError, OptionError, SpaceError, UnknownNameError, first_line
from search_spaces import Architecture, SearchSpace

ARCH = "arch"


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
    header, rows = _read(path)
    if ARCH not in header:
        raise DataError(f"{path} has no column {ARCH!r}: name its column of architectures so")
    chosen = _chosen(path, header, column)
    place, number = header.index(ARCH), header.index(chosen)
    found: dict[str, float] = {}
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(
                f"{path}, line {line}: expected {len(header)} cells as in the header, "
                f"but got {len(row)}: mend the row"
            )
        try:
            name = space.to_string(space.from_string(row[place]))
        except Exception as error:  # a space of the user's own can raise anything
            raise DataError(
                f"{path}, line {line}: {first_line(error)}: write an architecture of this space, "
                "or name another space"
            ) from error
        if name in found:
            raise DataError(
                f"{path}, line {line}: the architecture {row[place]!r} stands there twice: "
                "keep one of the two"
            )
        found[name] = _milliseconds(row[number], f"{path}, line {line}", chosen)
    return LatencyTable(path, chosen, space, found)


def _chosen(path: Path, header: Sequence[str], column: str | None) -> str:
    others = [name for name in header if name != ARCH]
    if column is None:
        if len(others) == 1:
            return others[0]
        raise OptionError(
            f"{path} has {len(others)} columns beside {ARCH!r}: name the one of milliseconds "
            f"with --latency-column ({', '.join(others) or 'there is none'})"
        )
    if column not in others:
        raise UnknownNameError(f"column of {path}", column, others)
    return column


def _milliseconds(cell: str, where: str, column: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise DataError(
            f"{where}: expected positive milliseconds in the column {column!r}, but got "
            f"{cell!r}: correct it, or leave the row out"
        )
    return value


def _read(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header of a CSV file, and its rows, each with the line on which it ends."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        found = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: this is no CSV ({first_line(error)}): "
            "mend the quotes, or save the table again"
        ) from error
    if len(found) < 2:
        raise DataError(f"{path} has no rows: expected a header and a row per architecture")
    header = [name.strip() for name in found[0][1]]
    if len(set(header)) < len(header):
        raise DataError(f"{path} has two columns of the same name: rename one of them")
    return header, iter(found[1:])


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is no text in UTF-8 ({error.reason} at byte {error.start}): "
            "save the table as CSV in UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check the path") from error
