"""Lay out a plot in SVG coordinates, for the template that writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diswot.report._plot import About, Plot, Series
from diswot.report._scale import Scale

WIDTH, HEIGHT = 480, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 34, 46


@dataclass(frozen=True)
class Tick:
    """A tick of an axis: its coordinate and its text."""

    place: float
    text: str


@dataclass(frozen=True)
class Point:
    """A dot: its coordinates, the number of its tooltip, and the tooltip in one line."""

    x: float
    y: float
    about: int | None
    text: str


@dataclass(frozen=True)
class Mark:
    """A series: an SVG path (attribute `d`), or points."""

    label: str
    look: str
    path: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Paper:
    """A plot in the coordinates of an SVG of 480×320."""

    plot: Plot
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM

    @property
    def legend(self) -> list[Mark]:
        """One mark per label; dots are preferred to lines."""
        known = {mark.label: mark for mark in sorted(self.marks, key=lambda mark: bool(mark.path))}
        return [mark for mark in self.marks if known[mark.label] is mark]


def lay_out(plot: Plot, numbers: Mapping[About, int]) -> Paper:
    """Compute the coordinates of a plot.

    Args:
        plot: the plot, with at least one dot.
        numbers: numbers of all tooltips of its dots.
    """
    x_scale, y_scale = scales(plot)

    def across(value: float) -> float:
        return round(LEFT + x_scale.place(value) * (WIDTH - LEFT - RIGHT), 1)

    def down(value: float) -> float:
        return round(HEIGHT - BOTTOM - y_scale.place(value) * (HEIGHT - TOP - BOTTOM), 1)

    def mark(series: Series) -> Mark:
        places = [(across(dot.x), down(dot.y)) for dot in series.dots]
        if series.shape == "dots":
            points = tuple(
                Point(x, y, numbers.get(dot.about) if dot.about else None, str(dot.about or ""))
                for (x, y), dot in zip(places, series.dots, strict=True)
            )
            return Mark(series.label, series.look, "", points)
        if series.shape == "limit":
            return Mark(series.label, series.look, f"M{places[0][0]} {TOP}V{HEIGHT - BOTTOM}", ())
        return Mark(series.label, series.look, _path(places, steps=series.shape == "steps"), ())

    return Paper(
        plot,
        tuple(Tick(across(value), text) for value, text in x_scale.ticks()),
        tuple(Tick(down(value), text) for value, text in y_scale.ticks()),
        tuple(mark(series) for series in plot.series if series.dots),
    )


def scales(plot: Plot) -> tuple[Scale, Scale]:
    """Return the horizontal and vertical axes that cover all dots; limits only count for x."""
    placed = [series for series in plot.series if series.shape != "limit"]
    ys = [dot.y for series in placed for dot in series.dots]
    xs = [dot.x for series in plot.series for dot in series.dots]
    return Scale.over(xs, log=plot.x.log, whole=plot.x.whole), Scale.over(ys, log=plot.y.log)


def _path(places: Sequence[tuple[float, float]], *, steps: bool) -> str:
    start = f"M{places[0][0]} {places[0][1]}"
    form = "H{} V{}" if steps else "L{} {}"
    return " ".join([start, *(form.format(*place) for place in places[1:])])
