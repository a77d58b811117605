"""Readers and checks of tables of accuracies."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diswot.bench.ground_truths._ground_truth import MINIMUM, Vector
from diswot.csv_table import Table, excerpt, read_csv
from diswot.errors import DataError, first_line
from diswot.files import read_file


def accuracies(table: Table, name: str) -> Vector:
    """Return a column of accuracies, shape (n,), after checking that it varies.

    Raises:
        UnknownNameError: the table has no such column.
        DataError: a cell is not a finite number, or all are equal.
    """
    values = table.numbers(name)
    check_varies(values, f"{table.path}: the column {excerpt(name)}")
    return values


def read_embedded(name: str, path: Path, *, command: str) -> Table:
    """Read a table that is part of the package.

    Args:
        name: name of its ground truth.
        path: the table.
        command: what writes it.

    Raises:
        DataError: the file is missing, or is not a table.
    """
    if not path.is_file():
        raise DataError(
            f"the embedded table of {name} is missing, there is no file {path}: install diswot "
            f"again, or make it with {command}"
        )
    return read_csv(path)


def read_records(path: Path) -> Sequence[Mapping[str, Any]]:
    """Read a JSON file with a list of objects.

    Raises:
        DataError: the file is not JSON, or has other content.
    """
    try:
        content = json.loads(read_file(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON ({first_line(error)}): copy it again") from error
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise DataError(f"{path} is not a list of records: copy it again")
    return content


def check_count(path: Path, rows: int, *, expected: int | None = None) -> None:
    """Check that a table has at least 10 rows, and the expected number if given.

    Raises:
        DataError: it has not.
    """
    if expected is not None and rows != expected:
        raise DataError(
            f"{path} has {rows:,} rows, expected {expected:,}: copy the whole table again"
        )
    if rows < MINIMUM:
        raise DataError(f"{path} has {rows} rows, but a ranking needs at least {MINIMUM}: add rows")


def check_varies(values: Vector, what: str) -> None:
    """Check that values are not all equal, so that they can be ranked.

    Raises:
        DataError: all values are equal.
    """
    if (values == values[0]).all():
        raise DataError(
            f"{what} is constant ({values[0]:g} in all {len(values)} rows), so τ is undefined: "
            "name one that varies"
        )
