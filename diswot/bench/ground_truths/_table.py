"""What tables of accuracies must hold."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diswot.bench.ground_truths._ground_truth import MINIMUM, Vector
from diswot.csv_table import Table, excerpt
from diswot.errors import DataError, first_line
from diswot.files import read_file


def accuracies(table: Table, name: str) -> Vector:
    """Return a column of accuracies, which must vary.

    Raises:
        UnknownNameError: the table has no such column.
        DataError: a cell is not a finite number, or all are equal.
    """
    values = table.numbers(name)
    check_varies(values, f"{table.path}: the column {excerpt(name)}")
    return values


def read_records(path: Path) -> Sequence[Mapping[str, Any]]:
    """Read a table that is a list of records in JSON.

    Raises:
        DataError: it is something else.
    """
    try:
        content = json.loads(read_file(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON ({first_line(error)}): copy it again") from error
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise DataError(f"{path} is no list of records: copy it again")
    return content


def check_count(path: Path, rows: int, *, expected: int | None = None) -> None:
    """Find out whether there are enough rows, and those that were expected.

    Raises:
        DataError: there are not.
    """
    if expected is not None and rows != expected:
        raise DataError(
            f"{path} has {rows:,} rows, expected {expected:,}: copy the whole table again"
        )
    if rows < MINIMUM:
        raise DataError(
            f"{path} has {rows} rows, and a ranking of fewer than {MINIMUM} says nothing: add rows"
        )


def check_varies(values: Vector, what: str) -> None:
    """Find out whether values can be ranked.

    Raises:
        DataError: all are equal.
    """
    if (values == values[0]).all():
        raise DataError(
            f"{what} is constant ({values[0]:g} in all {len(values)} rows), so τ is undefined: "
            "name one that varies"
        )
