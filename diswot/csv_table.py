"""Read CSV files from users: every cell is checked, and errors name the line."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diswot.errors import DataError, UnknownNameError, first_line
from diswot.files import read_file
from search_spaces import Architecture, SearchSpace


@dataclass(frozen=True)
class Table:
    """A CSV file with a header.

    Attributes:
        path: the file that was read.
        columns: names of the columns, as in the header.
        rows: the cells of each row below the header, one per column.
        lines: for each row, the line of the file (from 1) on which it ends.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def column(self, name: str) -> tuple[str, ...]:
        """Return the cells of a column.

        Raises:
            UnknownNameError: the table has no such column.
        """
        if name not in self.columns:
            raise UnknownNameError(f"column of {self.path}", name, map(one_line, self.columns))
        index = self.columns.index(name)
        return tuple(row[index] for row in self.rows)

    def numbers(self, name: str, *, optional: bool = False) -> NDArray[np.float64]:
        """Return a column of finite numbers.

        Args:
            name: name of the column.
            optional: whether cells may be empty; empty cells become NaN.

        Returns:
            The values (N,), one per row.

        Raises:
            UnknownNameError: the table has no such column.
            DataError: a cell is not a finite number.
        """
        values = np.full(len(self.rows), np.nan)
        for index, cell in enumerate(self.column(name)):
            if optional and not cell:
                continue
            try:
                values[index] = float(cell)
            except ValueError:
                values[index] = np.nan
            if not np.isfinite(values[index]):
                raise self.error(
                    index,
                    f"expected a finite number in the column {excerpt(name)}, but got "
                    f"{excerpt(cell)}: correct it, or leave the row out",
                )
        return values

    def architectures(self, texts: Sequence[str], space: SearchSpace) -> tuple[Architecture, ...]:
        """Parse the architecture of each row.

        Args:
            texts: the names of the architectures, one per row.
            space: the search space that they belong to.

        Raises:
            DataError: a name is not valid in the space, or two rows have the same architecture.
        """
        first: dict[Architecture, int] = {}
        for index, text in enumerate(texts):
            try:
                arch = space.from_string(text)
                before = first.setdefault(arch, index)
            except Exception as error:  # a space of the user's own can raise anything
                raise self.error(
                    index,
                    f"{one_line(first_line(error))}: write an architecture of this space, "
                    "or name another space",
                ) from error
            if before != index:
                raise self.error(
                    index,
                    f"the architecture {excerpt(text)} is already on line {self.lines[before]}: "
                    "keep one of the two",
                )
        return tuple(first)

    def error(self, place: int, what: str) -> DataError:
        """Return an error that names the file and the line of a row.

        Args:
            place: index of the row, from 0.
            what: what is wrong with it and how to fix it.
        """
        return DataError(f"{self.path}, line {self.lines[place]}: {what}")


def read_csv(path: Path) -> Table:
    """Read a UTF-8 CSV file with a header; blank lines are skipped.

    Raises:
        DataError: the file is missing, empty or not valid CSV, or a row has more or fewer cells
            than the header.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        results = [(reader.line_num, tuple(row)) for row in reader if row]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: this is not CSV ({first_line(error)}): "
            "fix the quotes, or save the table again"
        ) from error
    if not results:
        raise DataError(f"{path} is empty: expected a header and rows")
    (_, header), *rows = results
    table = Table(
        path,
        tuple(name.strip() for name in header),
        tuple(row for _, row in rows),
        tuple(line for line, _ in rows),
    )
    _check_shape(table)
    return table


def read_table(
    path: Path, *, texts: Sequence[str] = (), numbers: Sequence[str] = ()
) -> list[Mapping[str, str]]:
    """Read a CSV file as one mapping from column to cell for each row.

    Args:
        path: the file.
        texts: names of required columns with any content.
        numbers: names of required columns whose cells are finite numbers or empty.

    Raises:
        DataError: the file is missing, empty or not valid CSV, a required column is missing, or
            a cell of a column in `numbers` is neither empty nor a finite number.
    """
    table = read_csv(path)
    missing = [name for name in (*texts, *numbers) if name not in table.columns]
    if missing:
        raise DataError(
            f"{path} has no column {', '.join(map(repr, missing))}: fix its header, "
            "or name another table"
        )
    for name in numbers:
        table.numbers(name, optional=True)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def excerpt(text: str) -> str:
    """Return text in quotes for a message, cut to 80 characters."""
    return repr(text if len(text) <= 80 else f"{text[:77]}…")


def one_line(text: str) -> str:
    """Return text on a single line, cut to 300 characters."""
    joined = " ".join(text.split())
    return joined if len(joined) <= 300 else f"{joined[:297]}…"


def _check_shape(table: Table) -> None:
    for index, row in enumerate(table.rows):
        if len(row) != len(table.columns):
            raise table.error(
                index,
                f"expected {len(table.columns)} cells as in the header, but got {len(row)}: "
                "fix the row",
            )
    for name in table.columns:
        if table.columns.count(name) > 1:
            raise DataError(f"{table.path} has two columns {excerpt(name)}: rename one of them")


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, without a byte order mark.

    Raises:
        DataError: the file is missing, not a regular file, not readable, or not UTF-8; the
            message names the line with the first invalid byte.
    """
    content = b""
    try:
        content = read_file(path)
        return content.decode("utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"there is no file {path}: check the path") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line:,}: this is not text in UTF-8 ({error.reason}): "
            "save the file in UTF-8"
        ) from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}): check its permissions"
        ) from error
