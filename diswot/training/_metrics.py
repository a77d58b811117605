"""Metrics of every epoch, written to `metrics.csv`."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diswot.errors import RunFolderError
from diswot.files import read_file
from diswot.runs import METRICS

TERM = "loss_"
"""Prefix of the columns with terms of the loss."""
VAL = "val_"
"""Prefix of the column with the metric on the validation split."""

TRAIN_READS = "train_reads"
"""Column with the number of training examples that were read so far, of methods that count it."""

_ALWAYS = ("learning_rate", "train_loss", "examples_per_second", "seconds")
"""Columns of every training, in addition to the epoch and the metric."""


@dataclass(frozen=True)
class Epoch:
    """Metrics of one epoch: a row of `metrics.csv`.

    Attributes:
        epoch: number of the epoch, from 1.
        learning_rate: learning rate of its last step.
        train_loss: mean loss over its steps.
        val: metric on the validation split after the epoch, in the column `val_METRIC`; an
            accuracy is from 0 to 1.
        examples_per_second: training speed, without evaluation.
        seconds: training time since the start, without interruptions.
        metric: name of the metric.
        terms: means of the weighted terms of the loss, in the columns `loss_NAME`.
        values: values of the training method, in columns of their names.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    val: float
    examples_per_second: float
    seconds: float
    metric: str
    terms: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)

    def to_row(self) -> dict[str, Any]:
        """Return the values by column of `metrics.csv`, terms after the total."""
        return {
            "epoch": self.epoch,
            "learning_rate": self.learning_rate,
            "train_loss": self.train_loss,
            **{f"{TERM}{name}": value for name, value in self.terms.items()},
            f"{VAL}{self.metric}": self.val,
            **self.values,
            "examples_per_second": self.examples_per_second,
            "seconds": self.seconds,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Epoch":
        """Make an epoch from values by column, as numbers or text."""
        terms = {n.removeprefix(TERM): float(v) for n, v in row.items() if n.startswith(TERM)}
        rest = {name: float(v) for name, v in row.items() if not name.startswith((TERM, VAL))}
        ((metric, val),) = ((n.removeprefix(VAL), v) for n, v in row.items() if n.startswith(VAL))
        known = {name: rest.pop(name) for name in _ALWAYS}
        epoch = int(rest.pop("epoch"))
        return cls(epoch, val=float(val), metric=metric, terms=terms, values=rest, **known)


def metrics_csv(history: Sequence[Epoch]) -> bytes:
    """Return the content of `metrics.csv`."""
    rows = [epoch.to_row() for epoch in history]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read_metrics(folder: Path) -> tuple[Epoch, ...]:
    """Read the `metrics.csv` of a training; empty if the folder has none.

    Raises:
        RunFolderError: it is damaged.
    """
    path = folder / METRICS
    try:
        text = read_file(path).decode("utf-8")
        return tuple(map(Epoch.from_row, csv.DictReader(io.StringIO(text, newline=""))))
    except FileNotFoundError:
        return ()
    except (OSError, KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        raise RunFolderError(
            f"{path} is damaged ({error!r}): restore it from a copy, or distill again"
        ) from error
