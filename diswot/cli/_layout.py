"""Table layout within a width: whole, with words wrapped, or one record per row.

No number is ever cut, and no column left out.
"""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

GAP = 2
"""Spaces between columns."""

_PIECE = re.compile(r"(?:[^\s|+,;/]|[|+,;/](?=[\d.]))*(?:[|+,;/](?![\d.]))*\s*")
"""A piece that is not wrapped: ends after a space or separator, never within a number."""


@dataclass(frozen=True)
class Layout:
    """A table of text.

    Attributes:
        columns: headings.
        rows: cells of each row, one per column.
        words: for each column, whether it holds words, which may be wrapped; others hold
            numbers, which are right-aligned.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[bool]

    def lines(self, width: int | None) -> list[str]:
        """Return the lines of the table, at most `width` characters; `None` for no limit."""
        widths = self._widths(width)
        if widths is None:
            return self._records(width or 0)
        head = self._row(self.columns, widths)
        return [*head, "─" * (sum(widths) + GAP * (len(widths) - 1)), *self._body(widths)]

    def _body(self, widths: Sequence[int]) -> list[str]:
        return [line for row in self.rows for line in self._row(row, widths)]

    def _widths(self, width: int | None) -> list[int] | None:
        """Return the columns' widths, or `None` if the table is too wide even when wrapped."""
        whole = [max(map(cell_len, column)) for column in self._by_column()]
        if width is None:
            return whole
        free = width - GAP * (len(whole) - 1)
        least = [self._least(index) for index in range(len(whole))]
        # Even the narrowest table does not fit: records are printed instead.
        if sum(least) > free:
            return None
        widths = list(whole)
        while sum(widths) > free:  # narrow the widest column that can be narrower
            index = max(range(len(widths)), key=lambda n: (widths[n] > least[n], widths[n]))
            widths[index] -= 1
        return widths

    def _by_column(self) -> list[list[str]]:
        return [list(column) for column in zip(self.columns, *self.rows, strict=True)]

    def _least(self, index: int) -> int:
        """Return a column's minimum width: its longest number, or its longest piece of text."""
        head, *cells = self._by_column()[index]
        parts = cells if not self.words[index] else [p for cell in cells for p in pieces(cell)]
        return max(cell_len(part.rstrip()) for part in (*pieces(head), *parts, ""))

    def _row(self, cells: Sequence[str], widths: Sequence[int]) -> list[str]:
        folded = [fold(cell, width) for cell, width in zip(cells, widths, strict=True)]
        height = max(map(len, folded), default=0)
        lines = []
        for line in range(height):
            parts = [part[line] if line < len(part) else "" for part in folded]
            aligned = [
                _padded(part, width, left=words)
                for part, width, words in zip(parts, widths, self.words, strict=True)
            ]
            lines.append((" " * GAP).join(aligned).rstrip())
        return lines

    def _records(self, width: int) -> list[str]:
        """Return each row as a record: its first cell, then lines `column: cell`."""
        if not self.rows:
            return fold(" ".join(self.columns), width)
        leading = 1 if self.columns[0] else 2
        lines: list[str] = []
        for row in self.rows:
            heading = " ".join(cell for cell in row[:leading] if cell)
            lines += ["", *fold(heading, width)]
            for name, cell in zip(self.columns[leading:], row[leading:], strict=True):
                if cell:
                    lines += _labeled(f"  {name}: " if name else "  ", cell, width)
        return lines[1:]


def pieces(text: str) -> list[str]:
    """Split `text` where lines may be broken.

    Examples:
        >>> pieces("|none~0|+|conv_3x3~1| of 1,088")
        ['|', 'none~0|+|', 'conv_3x3~1| ', 'of ', '1,088']
    """
    return [piece for piece in _PIECE.findall(text) if piece]


def fold(text: str, width: int) -> list[str]:
    """Wrap `text` to a width; pieces that are wider are not broken."""
    lines = [""]
    for piece in pieces(text):
        if lines[-1] and cell_len((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def paragraph(text: str, width: int) -> str:
    """Wrap each line of prose to a width."""
    options = {"break_long_words": False, "break_on_hyphens": False}
    return "\n".join(
        textwrap.fill(line, max(20, width), **options)  # type: ignore[arg-type]
        for line in text.splitlines()
    )


def _labeled(label: str, cell: str, width: int) -> list[str]:
    if cell_len(label + cell) <= width:
        return [label + cell]
    inner = fold(cell, max(1, width - 4))
    return [label.rstrip(), *(f"    {line}" for line in inner)]


def _padded(text: str, width: int, *, left: bool) -> str:
    space = " " * (width - cell_len(text))
    return text + space if left else space + text
