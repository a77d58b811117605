"""Results as tables: in notebooks, and as data frames of pandas."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from diswot.printable import printable
from diswot.runtimes import require

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST_ROWS = 20
"""Maximal number of rows in a notebook; the caption says how many are left out."""


@runtime_checkable
class _Interval(Protocol):
    """A value with an interval, such as a measure."""

    value: float
    low: float
    high: float


class Tabular(ABC):
    """Base class of results that notebooks show as a table.

    A subclass returns its rows; values with an interval are shown as text, and become three
    columns of a data frame.
    """

    @abstractmethod
    def to_records(self) -> Sequence[Mapping[str, Any]]:
        """Return the rows of the table, each as values by column."""

    @property
    def caption(self) -> str:
        """A summary of the result in one line."""
        return ""

    def to_dataframe(self) -> "DataFrame":
        """Return the table as a data frame of pandas.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        require(("pandas",), "pandas", "to_dataframe()")
        import pandas

        return pandas.DataFrame([dict(_flat(record)) for record in self.to_records()])

    def _repr_html_(self) -> str:
        """Return the table as HTML, for notebooks."""
        records = self.to_records()
        columns = list(dict.fromkeys(name for record in records for name in record))
        left = len(records) - _MOST_ROWS
        more = f" {left:,} more rows are in to_dataframe()." if left > 0 else ""
        head = "".join(f"<th>{_html(name)}</th>" for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{_cell(record.get(name))}</td>" for name in columns) + "</tr>"
            for record in records[:_MOST_ROWS]
        )
        return (
            f"<p>{_html(self.caption + more)}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def _flat(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, _Interval):
            yield name, value.value
            yield f"{name}_low", value.low
            yield f"{name}_high", value.high
        else:
            yield name, value


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else _html(str(value))


def _html(text: str) -> str:
    return escape(printable(text, keep=""))
