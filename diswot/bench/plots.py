"""Plots of correlations."""

from collections.abc import Mapping, Sequence
from math import isfinite

from diswot.bench.correlation import Correlation
from diswot.bench.rank_statistics import Vector
from diswot.plots import Axis, Dot, Figure, Plot, Series

COLUMNS = 3
MOST = 9
"""Maximum number of scatter plots in one figure."""
MOST_DOTS = 3000
"""Approximate maximum number of dots in a scatter plot; of more, every n-th is drawn."""


def plot_intervals(rows: Sequence[Correlation], name: str) -> Figure:
    """Return the figure of Kendall's τ with intervals, the best at the top.

    Args:
        rows: correlations of one ground truth.
        name: name of its files.
    """
    ranked = sorted(
        ((row, row.statistics.kendall) for row in rows if row.statistics is not None),
        key=lambda pair: pair[1].value,
    )
    scores, baselines = (
        tuple(
            Dot(tau.value, index, None, (tau.low, tau.high))
            for index, (row, tau) in enumerate(ranked)
            if row.baseline is baseline
        )
        for baseline in (False, True)
    )
    plot = Plot(
        name,
        f"{rows[0].truth}, {rows[0].target}, n = {rows[0].architectures:,}",
        "",
        Axis("Kendall τ with 95 % interval"),
        Axis("", categories=tuple(row.scorer for row, _ in ranked)),
        (
            Series("", "limit", "limit", (Dot(0, 0),)),
            Series("scores", "dots", "front", scores),
            Series("baselines", "dots", "plain", baselines),
        ),
    )
    return Figure.of(plot)


def plot_scatter(
    rows: Sequence[Correlation], scores: Mapping[str, Vector], accuracies: Vector, name: str
) -> Figure:
    """Return the figure of score and accuracy for the best scorers.

    Args:
        rows: correlations of one ground truth.
        scores: scores of all architectures (n,), by scorer.
        accuracies: accuracies of the same architectures (n,), in %.
        name: name of its files.
    """
    known = {row.scorer: row.statistics.kendall.value for row in rows if row.statistics}
    ranked = sorted(known.keys() & scores.keys(), key=lambda scorer: -known[scorer])[:MOST]
    every = -(-len(accuracies) // MOST_DOTS)
    sample = f": one of {every} architectures" if every > 1 else ""
    plots = []
    for scorer in ranked:
        pairs = zip(scores[scorer][::every], accuracies[::every], strict=True)
        # Architectures that a scorer failed on have no score, and are left out.
        dots = tuple(Dot(float(x), float(y)) for x, y in pairs if isfinite(x))
        series = (Series("", "dots", "line-0", dots),)
        title = f"{scorer}: τ {known[scorer]:.2f}"
        plots.append(Plot(scorer, title, "", Axis("score"), Axis("accuracy, %"), series))
    title = f"{rows[0].truth}, {rows[0].target}{sample}"
    return Figure(name, tuple(plots), title, COLUMNS)
