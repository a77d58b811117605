"""Draw plots with matplotlib, as PNG and SVG files."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from diswot.errors import MissingExtraError
from diswot.report._plot import Plot, Series
from diswot.report._scale import Scale
from diswot.report._svg import scales
from diswot.runs.folder import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS_PER_INCH = 150

COLORS = {
    "plain": "#7d8896",
    "choice": "#6b3fa0",
    "front": "#1c60ad",
    "winner": "#c2410c",
    "limit": "#5a6069",
    "line-0": "#1c60ad",
    "line-1": "#c2410c",
    "line-2": "#1a7f4e",
    "line-3": "#6b3fa0",
    "line-4": "#8a6a00",
    "line-5": "#5a6069",
}
"""Colors by look, the same as on the page."""

MARKERS = {"winner": ("D", 42), "front": ("o", 26), "choice": ("s", 36)}
"""Marker and area by look; others are small circles."""


def plots_available() -> bool:
    """Return whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def require_plots() -> None:
    """Make sure that matplotlib is installed.

    Raises:
        MissingExtraError: the extra `plots` is not installed.
    """
    if not plots_available():
        raise MissingExtraError("matplotlib", "plots", "drawing plots")


def draw(plot: Plot, folder: Path) -> list[Path]:
    """Draw a plot as `NAME.png` and `NAME.svg`; the same plot gives identical files."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    paths = [folder / f"{plot.name}.{kind}" for kind in ("png", "svg")]
    with rc_context({"svg.hashsalt": plot.name, "text.parse_math": False}):
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.subplots()
        for series in plot.series:
            _add(axes, series)
        _set_axes(axes, plot)
        for path, metadata in zip(paths, ({}, {"Date": None}), strict=True):
            kind = path.suffix[1:]
            save = partial(figure.savefig, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
            replace_file(path, save)
    return paths


def _add(axes: "Axes", series: Series) -> None:
    if not series.dots:
        return
    xs, ys = [dot.x for dot in series.dots], [dot.y for dot in series.dots]
    color = COLORS[series.look]
    named = axes.get_legend_handles_labels()[1]
    label = None if series.label in named else series.label
    if series.shape == "limit":
        axes.axvline(xs[0], color=color, linestyle="--", linewidth=1, label=label)
    elif series.shape == "dots":
        marker, size = MARKERS.get(series.look, ("o", 10))
        filled = "none" if series.look == "choice" else color
        axes.scatter(
            xs, ys, s=size, marker=marker, facecolors=filled, edgecolors=color, label=label
        )
    else:
        style = "steps-post" if series.shape == "steps" else "default"
        axes.plot(xs, ys, color=color, linewidth=1.5, drawstyle=style, label=label)


def _set_axes(axes: "Axes", plot: Plot) -> None:
    across, down = scales(plot)
    axes.set_xscale("log" if across.log else "linear")
    axes.set_yscale("log" if down.log else "linear")
    axes.set_xlim(across.low, across.high)
    axes.set_ylim(down.low, down.high)
    axes.set_xticks(*_ticks(across))
    axes.set_yticks(*_ticks(down))
    axes.minorticks_off()
    axes.set(xlabel=plot.x.label, ylabel=plot.y.label, title=plot.title)
    axes.grid(color="#e3e5e8", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(fontsize=8)


def _ticks(scale: Scale) -> tuple[list[float], list[str]]:
    ticks = scale.ticks()
    return [value for value, _ in ticks], [text for _, text in ticks]
