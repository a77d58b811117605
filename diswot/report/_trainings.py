"""Curves and results of the trainings in a run folder."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diswot.errors import RunFolderError
from diswot.plots import About, Axis, Dot, Plot, Series
from diswot.report._numbers import HUGE, interval, seconds, signed, value
from diswot.runs import METRICS
from diswot.tasks import Measure, Metric
from diswot.training import TRAIN_READS, Epoch, SavedStudent, read_metrics, saved_students
from search_spaces import Signature

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

    @property
    def train_reads(self) -> int | None:
        """Number of training examples that were read so far; `None` if it was not counted."""
        counted = self.epochs[-1].values.get(TRAIN_READS) if self.epochs else None
        return None if counted is None else int(counted)


def read_curves(folder: Path) -> list[Curve]:
    """Read the trainings in a run folder, best on the validation split first.

    Raises:
        RunFolderError: a report or a table of metrics is damaged.
    """
    return [
        Curve(_readable(student.folder.name), student, _epochs(student.folder))
        for student in saved_students(folder)
    ]


def read_growing_curves(
    folder: Path, finished: Sequence[Curve], *, of: Signature, metrics: Sequence[Metric]
) -> list[Curve]:
    """Read the trainings in a run folder that have not finished.

    Args:
        folder: the run folder.
        finished: its finished trainings.
        of: signature of the students.
        metrics: metrics of the task, which have unit and direction. Of others they are taken
            from the finished trainings; without these, values are as in `metrics.csv`.
    """
    known = {curve.student.folder for curve in finished}
    units: dict[str, Measure | Metric] = {c.student.val.name: c.student.val for c in finished}
    units |= {metric.name: metric for metric in metrics}
    curves = []
    for path in sorted(folder.glob(f"distill/*/{METRICS}")):
        epochs = () if path.parent in known else _epochs(path.parent)
        if not epochs:
            continue
        name, now = epochs[-1].metric, epochs[-1].val
        val = Measure(name, now, now, now, 1)
        if name in units:
            unit, better = units[name].unit, units[name].higher_is_better
            val = replace(val, unit=unit, higher_is_better=better)
        label = _readable(path.parent.name)
        curves.append(Curve(label, SavedStudent(path.parent, "–", label, val, of, {}), epochs))
    return curves


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
    metric = [s for n, c in enumerate(drawn) for s in epoch_series(c, look(n), validation_of(c))]
    loss = [s for n, c in enumerate(drawn) for s in epoch_series(c, look(n), _train_loss)]
    return [
        Plot(
            name=f"distillation-{re.sub(r'[^a-zA-Z0-9]+', '-', val.name)}",
            title=f"{_as_title(val.name)} during distillation",
            caption="On the validation split, which selects the best epoch.",
            x=Axis("Epoch", whole=True),
            y=validation_axis(val),
            series=tuple(metric),
        ),
        Plot(
            name="distillation-loss",
            title="Loss during distillation",
            caption="Mean over the epoch’s batches. Different losses cannot be compared.",
            x=Axis("Epoch", whole=True),
            y=Axis("Training loss"),
            series=tuple(loss),
        ),
    ]


def validation_axis(measure: Measure, *, split: str = "Validation") -> Axis:
    """Return the axis of a measure, with its unit and direction."""
    label = ", ".join(filter(None, (f"{split} {measure.name}", measure.unit)))
    return Axis(label if measure.higher_is_better else f"{label}, lower is better")


def scaled(measure: Measure, number: float) -> float:
    """Return a number of a measure on its axis: fractions in percent."""
    return 100 * number if measure.unit == "%" else number


def validation_of(curve: Curve) -> Callable[[Epoch], float]:
    """Return a function that gives the validation measure of an epoch on its axis."""
    return lambda epoch: scaled(curve.student.val, epoch.val)


def epoch_series(
    curve: Curve, look: str, height: Callable[[Epoch], float], label: str | None = None
) -> list[Series]:
    """Return a training's line over its epochs, and the dots on it.

    Args:
        curve: the training.
        look: style of both.
        height: gives the vertical position of an epoch.
        label: text of the legend; by default the training's.
    """
    every = -(-len(curve.epochs) // MOST)
    drawn = [e for e in curve.epochs if e.epoch % every == 0 or e is curve.epochs[-1]]
    label = label or curve.label
    dots = tuple(Dot(e.epoch, height(e), _about(curve, e, label)) for e in drawn)
    bare = tuple(Dot(epoch.epoch, height(epoch)) for epoch in curve.epochs)
    return [Series(label, "line", look, bare), Series(label, "dots", look, dots)]


def look(number: int) -> str:
    """Return the look of a series by its position."""
    return f"line-{number % 6}"


def _train_loss(epoch: Epoch) -> float:
    return epoch.train_loss


def _about(curve: Curve, epoch: Epoch, title: str) -> About:
    val = curve.student.val
    return About(
        title,
        (
            ("architecture", curve.student.architecture),
            ("epoch", f"{epoch.epoch} of {len(curve.epochs)}"),
            (f"validation {val.name}", value(replace(val, value=epoch.val))),
            ("training loss", signed(epoch.train_loss)),
            ("learning rate", f"{epoch.learning_rate:.2g}"),
            ("after", seconds(epoch.seconds)),
        ),
    )


def _as_title(name: str) -> str:
    """Capitalize a name, but not an abbreviation such as mAP."""
    return f"{name[:1].upper()}{name[1:]}" if name.islower() else name
