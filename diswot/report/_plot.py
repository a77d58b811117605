"""Plots as data, independent of how they are drawn (SVG or matplotlib)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Shape = Literal["dots", "line", "steps", "limit"]


@dataclass(frozen=True)
class About:
    """The tooltip of a dot.

    Attributes:
        title: first line, such as an architecture.
        facts: pairs of name and value.
    """

    title: str
    facts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "; ".join([self.title, *(f"{name}: {value}" for name, value in self.facts)])


@dataclass(frozen=True)
class Dot:
    """A point of a plot, with an optional tooltip."""

    x: float
    y: float
    about: About | None = None


@dataclass(frozen=True)
class Series:
    """Dots that belong together.

    Attributes:
        label: text of the legend.
        shape: "dots"; a "line" through them; "steps" from each value to the next; or "limit", a
            vertical line at the x of its only dot.
        look: style: `plain`, `front`, `winner`, `choice`, `limit`, or `line-0`, `line-1`, …
        dots: the points, in the order of a line.
    """

    label: str
    shape: Shape
    look: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Axis:
    """An axis of a plot.

    Attributes:
        label: quantity and unit.
        log: whether it is logarithmic.
        whole: whether values are integers.
    """

    label: str
    log: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Plot:
    """A plot.

    Attributes:
        name: name of its files, without suffix.
        title: title of the plot.
        caption: explanation below the plot.
        x: the horizontal axis.
        y: the vertical axis.
        series: the series, the last one on top.
    """

    name: str
    title: str
    caption: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]

    def abouts(self) -> Iterator[About]:
        """Yield the tooltips of all dots."""
        for series in self.series:
            yield from (dot.about for dot in series.dots if dot.about is not None)
