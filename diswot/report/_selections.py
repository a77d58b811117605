"""Plots of the images that trainings select from a pool."""

from collections.abc import Sequence

from diswot.plots import Axis, Plot, Series
from diswot.report._trainings import Curve, epoch_series, look

SELECTED = "selected"
"""Column of `metrics.csv` with the selected share, and prefix of the columns of classes."""

MOST = 10
"""Maximal number of classes with a line."""


def selection_plots(curves: Sequence[Curve]) -> list[Plot]:
    """Return plots of the selected share of the pool against epochs; empty without a selection.

    Args:
        curves: the trainings, best on the validation split first.
    """
    drawn = [curve for curve in curves if curve.epochs and SELECTED in curve.epochs[0].values]
    if not drawn:
        return []
    plots = [
        _plot(
            "selection",
            "Selected images of the pool",
            "Share of the pool that an epoch used.",
            [s for n, curve in enumerate(drawn) for s in _line(curve, SELECTED, n, curve.label)],
        )
    ]
    best, prefix = drawn[0], f"{SELECTED}_"
    shares = {
        name: max(epoch.values.get(name, 0.0) for epoch in best.epochs)
        for name in best.epochs[0].values
        if name.startswith(prefix)
    }
    names = sorted(shares, key=lambda name: -shares[name])[:MOST]
    if names:
        lines = [s for n, c in enumerate(names) for s in _line(best, c, n, c.removeprefix(prefix))]
        few = f", for the {MOST} largest of {len(shares)} classes" * (len(shares) > MOST)
        title, caption = "Selected images by class", f"Shares of the pool in {best.label}{few}."
        plots.append(_plot("selection-classes", title, caption, lines))
    return plots


def _line(curve: Curve, column: str, number: int, label: str) -> list[Series]:
    return epoch_series(curve, look(number), lambda e: 100 * e.values.get(column, 0.0), label)


def _plot(name: str, title: str, caption: str, series: Sequence[Series]) -> Plot:
    return Plot(
        name=name,
        title=title,
        caption=caption,
        x=Axis("Epoch", whole=True),
        y=Axis("Share of the pool, %"),
        series=tuple(series),
    )
