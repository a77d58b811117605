"""Read the objects of a JSON Lines file."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diswot.csv_table import excerpt, one_line
from diswot.errors import DataError, first_line


def json_lines(
    text: str, where: str, columns: Iterable[str] = ()
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the place for messages and the object of each line that is not empty.

    Args:
        text: content of the file.
        where: name of the file in messages.
        columns: names that every object must have; by default none.

    Raises:
        DataError: a line is not a JSON object with these names.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{where}, line {number:,}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{place}: this is not JSON ({first_line(error)}): write one object on each line"
            ) from error
        if not isinstance(row, dict):
            raise DataError(f"{place}: expected an object, but got {excerpt(line)}")
        check_columns(place, row, columns)
        yield place, row


def check_columns(where: str, known: Iterable[str], columns: Iterable[str]) -> None:
    """Check that columns exist.

    Args:
        where: the place for messages.
        known: names of the existing columns.
        columns: names that must be among them.

    Raises:
        DataError: a column is missing.
    """
    names = list(known)
    if lacking := [name for name in columns if name not in names]:
        has = ", ".join(map(repr, names[:8])) or "nothing"
        raise DataError(
            f"{where}: there is no {' and no '.join(map(repr, lacking))} among {one_line(has)}: "
            f"name the columns {' and '.join(columns)}"
        )
