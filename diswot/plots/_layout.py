"""Lay out a plot in SVG coordinates, for the template that draws it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diswot.plots._plot import About, Axis, Dot, Plot, Series
from diswot.plots._scale import Scale

WIDTH, HEIGHT = 480, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 34, 46

LETTER = 6.6
"""Approximate width of a letter of the labels."""

WIDEST_NAMES = 240
"""Maximal width of the names on an axis of categories."""

CATEGORY = 22
"""Height of one category."""


@dataclass(frozen=True)
class Tick:
    """A tick of an axis: its coordinate and its text."""

    place: float
    text: str


@dataclass(frozen=True)
class Point:
    """A dot: coordinates, path of its whiskers, number of its tooltip, tooltip in one line."""

    x: float
    y: float
    whiskers: str
    about: int | None
    text: str


@dataclass(frozen=True)
class Mark:
    """A series in SVG coordinates.

    Attributes:
        label: text of the legend.
        look: style of the series.
        kind: `line`, `area`, `spots` (dots without tooltips, as one path), or `dots`.
        path: SVG path (attribute `d`); empty for `dots`.
        points: the points of `dots`.
    """

    label: str
    look: str
    kind: str
    path: str
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Paper:
    """A plot in the coordinates of an SVG."""

    plot: Plot
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int

    @property
    def clipped(self) -> bool:
        """Whether the ends of an axis are given, so that marks may lie beyond them."""
        return self.plot.x.limits is not None or self.plot.y.limits is not None

    @property
    def legend(self) -> list[Mark]:
        """One mark per label; lines are preferred to dots, and dots to areas."""
        ranked = sorted(self.marks, key=lambda mark: (mark.kind == "line", mark.kind != "area"))
        known = {mark.label: mark for mark in ranked if mark.label}
        return [mark for mark in self.marks if known.get(mark.label) is mark]


def lay_out(plot: Plot, numbers: Mapping[About, int] | None = None) -> Paper:
    """Compute the coordinates of a plot.

    Args:
        plot: the plot, with at least one dot.
        numbers: numbers of all tooltips of its dots; without them, dots have none.
    """
    names = plot.y.categories
    left = min(WIDEST_NAMES, max(LEFT, round(12 + LETTER * max(map(len, names), default=0))))
    top = TOP if plot.y.label else TOP // 3
    height = top + BOTTOM + round(CATEGORY * plot.y.spacing * len(names)) if names else HEIGHT
    across = _Across(axis_scale(plot, plot.x, "xs"), left, WIDTH - RIGHT)
    down = _Across(axis_scale(plot, plot.y, "ys"), height - BOTTOM, top)
    drawn = _Drawn(across, down, numbers)
    return Paper(
        plot,
        tuple(Tick(across(value), text) for value, text in _ticks(plot.x, across.scale)),
        tuple(Tick(down(value), text) for value, text in _ticks(plot.y, down.scale)),
        tuple(drawn.mark(series) for series in plot.series if series.dots),
        width=WIDTH,
        height=height,
        left=left,
        right=WIDTH - RIGHT,
        top=top,
        bottom=height - BOTTOM,
    )


def axis_scale(plot: Plot, axis: Axis, values: str) -> Scale:
    """Return the scale of an axis, which covers all dots.

    Args:
        plot: the plot.
        axis: one of its axes.
        values: `xs` or `ys`. Limits only count for x, and levels only for y.
    """
    if axis.limits is not None:
        return Scale(*axis.limits, log=axis.log, whole=axis.whole)
    if axis.categories:
        return Scale(-0.5, len(axis.categories) - 0.5)
    ignored = "limit" if values == "ys" else "level"
    placed = [series for series in plot.series if series.shape != ignored]
    known = [value for series in placed for dot in series.dots for value in getattr(dot, values)]
    return Scale.over(known, log=axis.log, whole=axis.whole)


def _ticks(axis: Axis, scale: Scale) -> list[tuple[float, str]]:
    return list(enumerate(axis.categories)) if axis.categories else scale.ticks()


@dataclass(frozen=True)
class _Across:
    """The coordinates of one axis, from `first` at its low end to `last`."""

    scale: Scale
    first: float
    last: float

    def __call__(self, value: float) -> float:
        return round(self.first + self.scale.place(value) * (self.last - self.first), 1)


@dataclass(frozen=True)
class _Drawn:
    """Draws the series of one plot."""

    across: _Across
    down: _Across
    numbers: Mapping[About, int] | None

    def mark(self, series: Series) -> Mark:
        """Return a series in SVG coordinates."""
        places = [(self.across(dot.x), self.down(dot.y)) for dot in series.dots]
        label, look = series.label, series.look
        if series.shape == "dots":
            if not any(dot.about or dot.x_interval or dot.y_interval for dot in series.dots):
                return Mark(label, look, "spots", "".join(f"M{x} {y}h0" for x, y in places))
            return Mark(label, look, "dots", "", tuple(map(self._point, series.dots)))
        if series.shape == "limit":
            return Mark(label, look, "line", f"M{places[0][0]} {self.down.first}V{self.down.last}")
        if series.shape == "level":
            return Mark(
                label, look, "line", f"M{self.across.first} {places[0][1]}H{self.across.last}"
            )
        if series.shape == "band":
            return Mark(label, look, "area", self._area(series.dots))
        return Mark(label, look, "line", _path(places, steps=series.shape == "steps"))

    def _point(self, dot: Dot) -> Point:
        x, y = self.across(dot.x), self.down(dot.y)
        whiskers = ""
        if dot.x_interval is not None:
            low, high = map(self.across, dot.x_interval)
            whiskers += f"M{low} {y}H{high}"
        if dot.y_interval is not None:
            low, high = map(self.down, dot.y_interval)
            whiskers += f"M{x} {low}V{high}"
        about = dot.about if self.numbers is not None else None
        number = None if about is None or self.numbers is None else self.numbers.get(about)
        return Point(x, y, whiskers, number, str(about or ""))

    def _area(self, dots: Sequence[Dot]) -> str:
        ends = [
            (self.across(dot.x), *map(self.down, dot.y_interval or (dot.y,) * 2)) for dot in dots
        ]
        upper = [(x, high) for x, _, high in ends]
        lower = [(x, low) for x, low, _ in reversed(ends)]
        return f"{_path([*upper, *lower], steps=False)}Z"


def _path(places: Sequence[tuple[float, float]], *, steps: bool) -> str:
    start = f"M{places[0][0]} {places[0][1]}"
    form = "H{} V{}" if steps else "L{} {}"
    return " ".join([start, *(form.format(*index) for index in places[1:])])
