"""A plot as data: what is drawn, before it is known how."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Shape = Literal["dots", "line", "steps", "limit"]


@dataclass(frozen=True)
class About:
    """The tooltip of a dot.

    Attributes:
        title: what it is, such as an architecture.
        facts: names and values.
    """

    title: str
    facts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "; ".join([self.title, *(f"{name}: {value}" for name, value in self.facts)])


@dataclass(frozen=True)
class Dot:
    """A place in the plane; `about` is `None` where there is none."""

    x: float
    y: float
    about: About | None = None


@dataclass(frozen=True)
class Series:
    """Dots that belong together.

    Attributes:
        label: what the legend says.
        shape: separate dots; a line through them, or one that goes from each value to the
            next by a step; or a limit, a line across the plot at the x of its only dot.
        look: which look it has: `plain`, `front`, `winner`, `choice`, `limit`, or
            `line-0`, `line-1`, …
        dots: in the order in which a line goes through them.
    """

    label: str
    shape: Shape
    look: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Axis:
    """What an axis shows, with its unit.

    Attributes:
        label: what, with its unit.
        log: whether it is logarithmic.
        whole: whether there is nothing between whole numbers.
    """

    label: str
    log: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Plot:
    """What a plot shows, apart from how it is drawn.

    Attributes:
        name: of its files, without suffix.
        title: what it shows.
        caption: what one must know to read it.
        x: the horizontal axis.
        y: the vertical axis.
        series: what is drawn, the last one on top.
    """

    name: str
    title: str
    caption: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]

    def abouts(self) -> Iterator[About]:
        """Go through the tooltips of its dots."""
        for series in self.series:
            yield from (dot.about for dot in series.dots if dot.about is not None)
