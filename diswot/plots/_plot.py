"""Plots as data, independent of where they are drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Shape = Literal["dots", "line", "steps", "limit", "level", "band"]


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
    """A point of a plot.

    Attributes:
        x: horizontal value.
        y: vertical value.
        about: its tooltip, if it has one.
        x_interval: both ends of an interval of `x`, drawn as a whisker.
        y_interval: both ends of an interval of `y`.
    """

    x: float
    y: float
    about: About | None = None
    x_interval: tuple[float, float] | None = None
    y_interval: tuple[float, float] | None = None

    @property
    def xs(self) -> tuple[float, ...]:
        """Its horizontal value, and the ends of the interval."""
        return (self.x, *(self.x_interval or ()))

    @property
    def ys(self) -> tuple[float, ...]:
        """Its vertical value, and the ends of the interval."""
        return (self.y, *(self.y_interval or ()))


@dataclass(frozen=True)
class Series:
    """Dots that belong together.

    Attributes:
        label: text of the legend; empty for no entry.
        shape: "dots"; a "line" through them; "steps" from each value to the next; "limit", a
            vertical line at the x of its only dot; "level", a horizontal line at the y of its
            only dot; or "band", the area of the vertical intervals.
        look: style: `plain`, `front`, `winner`, `choice`, `limit`, or `line-0` to `line-5`.
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
        categories: names of the values 0, 1, …, for an axis without numbers.
        spacing: height of a category, as a multiple of the usual one.
        limits: its ends; by default what all values need.
    """

    label: str
    log: bool = False
    whole: bool = False
    categories: tuple[str, ...] = ()
    spacing: float = 1.0
    limits: tuple[float, float] | None = None


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


@dataclass(frozen=True)
class Figure:
    """One plot, or several side by side with one legend.

    Attributes:
        name: name of its files, without suffix.
        plots: the plots, row by row.
        title: title above all of them.
        columns: number of plots in a row.
    """

    name: str
    plots: tuple[Plot, ...]
    title: str = ""
    columns: int = 1

    @classmethod
    def of(cls, plot: Plot) -> "Figure":
        """Return the figure of a single plot."""
        return cls(plot.name, (plot,))
