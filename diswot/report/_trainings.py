"""Curves and results of the trainings in a run folder."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diswot.errors import RunFolderError
from diswot.plots import About, Axis, Dot, Plot, Series
from diswot.report._numbers import HUGE, interval, seconds, signed, value
from diswot.training import METRICS, Epoch, SavedStudent, read_metrics, saved_students

MOST = 60
"""Maximal number of dots on a curve; of more epochs, every n-th and the last one are drawn."""


@dataclass(frozen=True)
class Curve:
    """A training in a run folder.

    Attributes:
        label: name of its folder.
        student: the trained student.
        epochs: metrics of each epoch.
    """

    label: str
    student: SavedStudent
    epochs: tuple[Epoch, ...]

    @property
    def tested(self) -> str:
        """Formatted measure on the test split; a dash if it is not known."""
        test = self.student.test
        return "–" if test is None else value(test)

    @property
    def interval(self) -> str:
        """Formatted 95 % interval of the test measure; empty if it is not known."""
        test = self.student.test
        return "" if test is None else interval(test)


def read_curves(folder: Path) -> list[Curve]:
    """Read the trainings in a run folder, best on the validation split first.

    Raises:
        RunFolderError: a report or a table of metrics is damaged.
    """
    return [
        Curve(_readable(student.folder.name), student, _epochs(student.folder))
        for student in saved_students(folder)
    ]


def _readable(name: str) -> str:
    """Replace bytes of a file name that are not valid UTF-8."""
    return name.encode("utf-8", "replace").decode()


def _epochs(folder: Path) -> tuple[Epoch, ...]:
    """Read the metrics of all epochs, and make sure that they are finite."""
    history = read_metrics(folder)
    for epoch in history:
        if not all(abs(float(value)) < HUGE for value in epoch.to_row().values()):
            raise RunFolderError(
                f"{folder / METRICS} is damaged (a number of epoch {epoch.epoch} is not finite): "
                "restore it from a copy, or distill again"
            )
    return history


def training_plots(curves: Sequence[Curve]) -> list[Plot]:
    """Return plots of metric and loss against epochs; empty without trainings."""
    drawn = [curve for curve in curves if curve.epochs]
    if not drawn:
        return []
    val = drawn[0].student.val
    scale, unit = (100, "%") if val.unit == "%" else (1, val.unit)
    label = ", ".join(filter(None, (f"Validation {val.name}", unit)))
    return [
        Plot(
            name=f"distillation-{re.sub(r'[^a-zA-Z0-9]+', '-', val.name)}",
            title=f"{val.name[:1].upper()}{val.name[1:]} during distillation",
            caption="On the validation split, which selects the best epoch.",
            x=Axis("Epoch", whole=True),
            y=Axis(label if val.higher_is_better else f"{label}, lower is better"),
            series=_lines(drawn, lambda epoch: scale * epoch.val),
        ),
        Plot(
            name="distillation-loss",
            title="Loss during distillation",
            caption="Mean over the epoch’s batches. Different losses cannot be compared.",
            x=Axis("Epoch", whole=True),
            y=Axis("Training loss"),
            series=_lines(drawn, lambda epoch: epoch.train_loss),
        ),
    ]


def _lines(curves: Sequence[Curve], height: Callable[[Epoch], float]) -> tuple[Series, ...]:
    series = []
    for place, curve in enumerate(curves):
        every = -(-len(curve.epochs) // MOST)
        drawn = [e for e in curve.epochs if e.epoch % every == 0 or e is curve.epochs[-1]]
        dots = tuple(Dot(epoch.epoch, height(epoch), _about(curve, epoch)) for epoch in drawn)
        bare = tuple(Dot(epoch.epoch, height(epoch)) for epoch in curve.epochs)
        series.append(Series(curve.label, "line", f"line-{place % 6}", bare))
        series.append(Series(curve.label, "dots", f"line-{place % 6}", dots))
    return tuple(series)


def _about(curve: Curve, epoch: Epoch) -> About:
    val = curve.student.val
    return About(
        curve.label,
        (
            ("architecture", curve.student.architecture),
            ("epoch", f"{epoch.epoch} of {len(curve.epochs)}"),
            (f"validation {val.name}", value(replace(val, value=epoch.val))),
            ("training loss", signed(epoch.train_loss)),
            ("learning rate", f"{epoch.learning_rate:.2g}"),
            ("after", seconds(epoch.seconds)),
        ),
    )
