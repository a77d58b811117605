"""Records as CSV files and Markdown tables."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from diswot.bench.rank_statistics import Estimate
from diswot.errors import RunFolderError
from diswot.runs.folder import replace_file


def flat(record: Any) -> dict[str, Any]:
    """Return the fields of a dataclass as a flat mapping, with those of nested dataclasses.

    An `Estimate` is flattened to its value under its own name, `…_low` and `…_high`.
    """
    results: dict[str, Any] = {}
    for field in fields(record):
        name, value = field.name, getattr(record, field.name)
        if isinstance(value, Estimate):
            results |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        else:
            results |= flat(value) if is_dataclass(value) else {name: value}
    return results


def write_csv(path: Path, records: Sequence[Any]) -> None:
    """Write dataclasses as CSV, with six significant digits; `None` is an empty cell.

    Raises:
        RunFolderError: there are no records; an existing file is kept.
    """
    if not records:
        raise RunFolderError(
            f"there are no rows for {path}, which is left unchanged: run the measurement first"
        )
    rows = [flat(record) for record in records]
    columns = dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row)

    def write(partial: Path) -> None:
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(columns), lineterminator="\n")
            writer.writeheader()
            for row in rows:
                writer.writerow({name: _written(row.get(name)) for name in columns})

    replace_file(path, write)


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in body)])


def number(value: Any, form: str = ".2f") -> str:
    """Format a number; `None` or an empty string as a dash."""
    return "–" if value in (None, "") else format(float(value), form)


def _written(value: Any) -> Any:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value
