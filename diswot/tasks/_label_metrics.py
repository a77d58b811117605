"""Metrics per label of networks that give an example any number of labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diswot.tasks._average_precision import average_precision
from diswot.tasks._class_metrics import ClassMetrics, ClassRow
from diswot.tasks._measure import Measure


@dataclass(frozen=True)
class LabelRow(ClassRow):
    """Metrics of one label: those of [`ClassRow`][diswot.tasks.ClassRow], and another one.

    Attributes:
        average_precision: average precision over all thresholds; `None` without examples.
    """

    average_precision: float | None = None


@dataclass(frozen=True)
class LabelMetrics:
    """Metrics per label on one split.

    Attributes:
        rows: metrics of each label; precision, recall and F1 are those at the threshold.
        mean: mean of the average precisions, with its 95 % interval.

    Examples:
        >>> scores, present = np.array([[2.0, -1.0], [1.0, 3.0]]), np.eye(2, dtype=bool)
        >>> mean = Measure("mAP", 1.0, 1.0, 1.0, 2, "%")
        >>> metrics = LabelMetrics.of(scores, present, mean, names=["cat", "dog"])
        >>> [(row.name, row.average_precision, row.precision) for row in metrics.rows]
        [('cat', 1.0, 0.5), ('dog', 1.0, 1.0)]
    """

    rows: tuple[LabelRow, ...]
    mean: Measure

    @classmethod
    def of(
        cls,
        scores: NDArray[np.float64],
        present: NDArray[np.bool_],
        mean: Measure,
        *,
        names: Sequence[str] | None = None,
    ) -> "LabelMetrics":
        """Compute the metrics of every label.

        Args:
            scores: logits (n, labels); a label is predicted where its logit is above 0, which
                is a probability of 0.5.
            present: whether each example has each label (n, labels).
            mean: mean of the average precisions.
            names: names of the labels; by default their numbers.
        """
        known = names or [str(number) for number in range(present.shape[1])]
        columns = zip(known, scores.T, present.T, strict=True)
        return cls(tuple(_row(name, own, true) for name, own, true in columns), mean)

    @property
    def averages(self) -> tuple[Measure, ...]:
        """The averages over labels: the mean average precision."""
        return (self.mean,)

    def to_json(self) -> dict[str, Any]:
        """Return the metrics as JSON values."""
        rows = [dict(vars(row)) for row in self.rows]
        return {"mean_average_precision": self.mean.to_json(), "per_class": rows}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "LabelMetrics":
        """Make label metrics from the values of `to_json`.

        Raises:
            KeyError: a value is missing.
            TypeError: a value has the wrong type.
            ValueError: a number is out of range.
        """
        mean = Measure.from_json(values["mean_average_precision"])
        return cls(tuple(LabelRow(**row) for row in values["per_class"]), mean)


def read_class_metrics(values: Mapping[str, Any]) -> ClassMetrics | LabelMetrics:
    """Make metrics per class from JSON values, of examples with one class or several labels.

    Raises:
        KeyError: a value is missing.
        TypeError: a value has the wrong type.
        ValueError: a number is out of range.
    """
    if "mean_average_precision" in values:
        return LabelMetrics.from_json(values)
    return ClassMetrics.from_json(values)


def _row(name: str, scores: NDArray[np.float64], present: NDArray[np.bool_]) -> LabelRow:
    predicted, examples = scores > 0, int(present.sum())
    return LabelRow.of(
        name,
        right=int((predicted & present).sum()),
        examples=examples,
        predicted=int(predicted.sum()),
        average_precision=average_precision(scores, present).value if examples else None,
    )
