"""Plots of search results by number of evaluations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diswot.bench.plots import new_figure, save_figure
from diswot.bench.search_bench._rows import SearchRow

QUANTITIES = {"accuracy": "%", "regret": "points"}
"""Quantity → its unit."""

COLUMNS = 3
COLORS = ("#8d8d8d", "#2a6f97", "#d1495b", "#3f8f5b")
"""Colors of random search, then of the engines in order."""


def plot_searches(curves: Sequence[SearchRow], quantity: str, path: Path) -> None:
    """Write plots of median and quartiles over the seeds by evaluations, as PNG and SVG.

    One panel per scorer; the dashed line is the best-scoring architecture within the budget.

    Args:
        curves: rows of one benchmark.
        quantity: a key of `QUANTITIES`.
        path: path of the plots, without suffix.
    """
    scorers = tuple(dict.fromkeys(row.scorer for row in curves))
    columns = min(COLUMNS, len(scorers))
    lines = -(-len(scorers) // columns)
    figure = new_figure(0.8 + 3.4 * columns, 0.8 + 2.8 * lines)
    axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for axis, scorer in zip(axes.flat, scorers, strict=False):
        _panel(axis, [row for row in curves if row.scorer == scorer], quantity)
    for axis in axes.flat[len(scorers) :]:
        axis.axis("off")
    for axis in axes[:, 0]:
        axis.set_ylabel(f"{quantity}, {QUANTITIES[quantity]}")
    axes.flat[0].legend(fontsize=8)
    first = curves[0]
    figure.suptitle(
        f"{first.truth}, {first.target}, {first.budget}: median and quartiles of {first.seeds} "
        "searches",
        fontsize=10,
    )
    save_figure(figure, path)


def _panel(axis: Any, rows: Sequence[SearchRow], quantity: str) -> None:
    best, top = rows[0].best, rows[0].top_scored
    engines = tuple(dict.fromkeys(row.engine for row in rows))
    for engine, color in zip(engines, COLORS, strict=False):
        own = [row for row in rows if row.engine == engine]
        curves = [
            [_height(getattr(row, name), best, quantity) for row in own]
            for name in ("lower_quartile", "accuracy", "upper_quartile")
        ]
        counts = [row.evaluations for row in own]
        axis.fill_between(counts, curves[0], curves[2], color=color, alpha=0.2, lw=0)
        axis.plot(counts, curves[1], color=color, lw=1.6, label=engine)
    axis.axhline(_height(top, best, quantity), color="black", lw=0.8, ls="--", label="top-scoring")
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.tick_params(labelbottom=True)
    if quantity == "regret":
        axis.set_ylim(bottom=0)
    axis.set_title(rows[0].scorer, fontsize=9)
    axis.set_xlabel("evaluations", fontsize=8)


def _height(accuracy: float, best: float, quantity: str) -> float:
    return accuracy if quantity == "accuracy" else best - accuracy
