"""Plots of search results by number of evaluations."""

from collections.abc import Sequence

from diswot.bench.search_bench._rows import SearchRow
from diswot.plots import Axis, Dot, Figure, Plot, Series

QUANTITIES = {"accuracy": "%", "regret": "points"}
"""Quantity → its unit."""

COLUMNS = 3
LOOKS = ("line-5", "line-0", "line-1", "line-2")
"""Looks of random search, then of the engines in order."""


def plot_searches(curves: Sequence[SearchRow], quantity: str) -> Figure:
    """Return the figure of median and quartiles over the seeds by evaluations.

    One panel per scorer; the dashed line is the best-scoring architecture within the budget.

    Args:
        curves: rows of one benchmark.
        quantity: a key of `QUANTITIES`, which also names the files.
    """
    scorers = tuple(dict.fromkeys(row.scorer for row in curves))
    heights = [height for row in curves for height in _heights(row, quantity)]
    room = 0.05 * (max(heights) - min(heights) or 1.0)
    low = 0.0 if quantity == "regret" else min(heights) - room
    limits = (low, max(heights) + room)
    first = curves[0]
    return Figure(
        quantity,
        tuple(
            _panel([row for row in curves if row.scorer == scorer], quantity, limits)
            for scorer in scorers
        ),
        f"{first.truth}, {first.target}, {first.budget}: median and quartiles of {first.seeds} "
        "searches",
        COLUMNS,
    )


def _panel(rows: Sequence[SearchRow], quantity: str, limits: tuple[float, float]) -> Plot:
    engines = tuple(dict.fromkeys(row.engine for row in rows))
    series = []
    for engine, look in zip(engines, LOOKS, strict=False):
        dots = []
        for row in (row for row in rows if row.engine == engine):
            lower, median, upper, _ = _heights(row, quantity)
            dots.append(Dot(row.evaluations, median, None, None, (lower, upper)))
        series += [Series(engine, shape, look, tuple(dots)) for shape in ("band", "line")]
    top = Dot(rows[0].evaluations, _heights(rows[0], quantity)[-1])
    return Plot(
        f"{quantity}-{rows[0].scorer}",
        rows[0].scorer,
        "",
        Axis("evaluations", log=True),
        Axis(f"{quantity}, {QUANTITIES[quantity]}", limits=limits),
        (*series, Series("top-scoring", "level", "limit", (top,))),
    )


def _heights(row: SearchRow, quantity: str) -> tuple[float, float, float, float]:
    """Return lower quartile, median and upper quartile, and that of the top-scoring one."""
    result = (row.lower_quartile, row.accuracy, row.upper_quartile, row.top_scored)
    if quantity == "accuracy":
        return result
    lower, median, upper, top = (row.best - accuracy for accuracy in result)
    return upper, median, lower, top
