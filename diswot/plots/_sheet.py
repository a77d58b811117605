"""Arrange the plots of a figure and their common legend on one sheet."""

import textwrap
from dataclasses import dataclass

from diswot.plots._layout import LETTER, WIDTH, Mark, Paper, lay_out
from diswot.plots._plot import Figure

MARGIN, TITLE, LINE = 12, 24, 18
"""Space around and between plots, height of a plot's title, height of a line of text."""

KEY = 30
"""Width of the sample of a series in the legend."""


@dataclass(frozen=True)
class Panel:
    """A plot at a position of the sheet."""

    x: int
    y: int
    paper: Paper


@dataclass(frozen=True)
class Key:
    """An entry of the legend at a position of the sheet."""

    x: float
    y: float
    mark: Mark


@dataclass(frozen=True)
class Sheet:
    """A figure in SVG coordinates.

    Attributes:
        title: lines of the title.
        panels: the plots.
        keys: the entries of the legend.
        width: width of the sheet.
        height: height of the sheet.
    """

    title: tuple[str, ...]
    panels: tuple[Panel, ...]
    keys: tuple[Key, ...]
    width: int
    height: int


def arrange(figure: Figure) -> Sheet:
    """Return a figure in SVG coordinates."""
    columns = min(figure.columns, len(figure.plots))
    width = MARGIN + columns * (WIDTH + MARGIN)
    title = tuple(textwrap.wrap(figure.title, int(width / LETTER / 1.1)))
    top = MARGIN + LINE * len(title)
    papers = [lay_out(plot) for plot in figure.plots]
    heading = TITLE if any(plot.title for plot in figure.plots) else 0
    panels = []
    for first in range(0, len(papers), columns):
        row = papers[first : first + columns]
        panels += [
            Panel(MARGIN + column * (WIDTH + MARGIN), top + heading, paper)
            for column, paper in enumerate(row)
        ]
        top += heading + max(paper.height for paper in row) + MARGIN
    keys, bottom = _legend(papers, width, top)
    return Sheet(title, tuple(panels), keys, width, bottom)


def _legend(papers: list[Paper], width: int, top: int) -> tuple[tuple[Key, ...], int]:
    """Return the entries of the legend below all plots, and where the sheet ends."""
    marks: dict[str, Mark] = {}
    for paper in papers:
        marks |= {mark.label: mark for mark in paper.legend if mark.label not in marks}
    keys, x, y = [], float(MARGIN), top + LINE / 2
    for label, mark in marks.items():
        long = KEY + LETTER * len(label) + 2 * MARGIN
        if x > MARGIN and x + long > width:
            x, y = float(MARGIN), y + LINE
        keys.append(Key(round(x, 1), y, mark))
        x += long
    return tuple(keys), round(y + LINE) if keys else top
