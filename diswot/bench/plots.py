"""Plots of correlations."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diswot.bench.correlation import Correlation
from diswot.bench.rank_statistics import Vector
from diswot.errors import MissingExtraError
from diswot.runs.folder import replace_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 3
MOST = 9
"""Maximum number of scatter plots in one figure."""


def plot_bars(rows: Sequence[Correlation], path: Path) -> None:
    """Write a bar plot of Kendall's τ with intervals, best first, as PNG and SVG."""
    ranked = sorted(
        ((row, row.statistics) for row in rows if row.statistics is not None),
        key=lambda pair: pair[1].kendall.value,
    )
    figure = new_figure(8, 1.2 + 0.26 * len(ranked))
    axis = figure.subplots()
    for place, (row, found) in enumerate(ranked):
        tau = found.kendall
        reach = [[tau.value - tau.low], [tau.high - tau.value]]
        color = "#999999" if row.baseline else "#2a6f97"
        axis.barh(place, tau.value, color=color)
        axis.errorbar(tau.value, place, xerr=reach, color="black", lw=1, capsize=2)
    axis.set_yticks(range(len(ranked)), [row.scorer for row, _ in ranked], fontsize=8)
    axis.axvline(0, color="black", lw=0.8)
    axis.set_xlabel("Kendall τ with 95 % interval; gray: baselines")
    axis.set_title(f"{rows[0].truth}, {rows[0].target}, n = {rows[0].architectures:,}")
    axis.margins(y=0.01)
    save_figure(figure, path)


def plot_scatter(
    rows: Sequence[Correlation], scores: Mapping[str, Vector], accuracies: Vector, path: Path
) -> None:
    """Write scatter plots of score and accuracy for the best scorers, as PNG and SVG."""
    known = {row.scorer: row.statistics.kendall.value for row in rows if row.statistics}
    plotted = sorted(known.keys() & scores.keys(), key=lambda name: -known[name])[:MOST]
    lines = -(-len(plotted) // COLUMNS)
    figure = new_figure(11, 3.3 * lines)
    axes = figure.subplots(lines, COLUMNS, sharey=True, squeeze=False)
    size = 14 if len(accuracies) < 500 else 3
    for axis, name in zip(axes.flat, plotted, strict=False):
        axis.scatter(scores[name], accuracies, s=size, alpha=0.6, lw=0, rasterized=True)
        axis.set_title(f"{name}: τ {known[name]:.2f}", fontsize=9)
        axis.set_xlabel("score", fontsize=8)
        axis.locator_params(axis="x", nbins=4)
    for axis in axes.flat[len(plotted) :]:
        axis.axis("off")
    for axis in axes[:, 0]:
        axis.set_ylabel("accuracy, %")
    figure.suptitle(f"{rows[0].truth}, {rows[0].target}")
    save_figure(figure, path)


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure; width and height are in inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plots", "drawing") from error
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure as PNG and SVG."""
    for kind in ("png", "svg"):
        replace_file(
            path.with_suffix(f".{kind}"),
            lambda partial: figure.savefig(partial, dpi=120, format=kind),  # noqa: B023
        )
