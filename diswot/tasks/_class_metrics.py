"""Metrics per class: confusion matrix, precision, recall, F1, and their averages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.tasks._bootstrap import Counts, percentile_interval, resamples, sums_by_class
from diswot.tasks._measure import Measure

NAMES = ("balanced accuracy", "macro F1")
"""Names of the averages over classes."""


@dataclass(frozen=True)
class ClassRow:
    """Metrics of one class.

    Attributes:
        name: name of the class, or its number.
        precision: fraction of the predictions of this class that are correct; `None` without any.
        recall: fraction of the examples of this class that are predicted; `None` without any.
        f1: harmonic mean of both: 2·TP / (2·TP + FP + FN); `None` without examples and
            predictions.
        examples: number of examples of the class.
    """

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    examples: int

    @classmethod
    def of(cls, name: str, *, right: int, examples: int, predicted: int, **more: Any) -> Self:
        """Compute the metrics of one class from counts.

        Args:
            name: name of the class, or its number.
            right: number of correct predictions of the class.
            examples: number of examples of the class.
            predicted: number of predictions of the class.
            **more: attributes of a subclass.
        """
        return cls(
            name,
            precision=_share(right, predicted),
            recall=_share(right, examples),
            f1=_share(2 * right, examples + predicted),
            examples=examples,
            **more,
        )


@dataclass(frozen=True)
class ClassMetrics:
    """Metrics of a classifier that count every class the same, on one split.

    Sources: Brodersen et al., "The balanced accuracy and its posterior distribution", ICPR
    2010, equation 1; Opitz and Burst, "Macro F1 and Macro F1", arXiv 1911.03347, equation 2
    (the mean of the classes' F1).

    Attributes:
        confusion: triples of true class, predicted class and number of examples, without zeros.
        classes: number of classes.
        names: names of the classes; empty if they are not known.

    Examples:
        >>> labels, predicted = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 0, 1, 1])
        >>> metrics = ClassMetrics.of(labels, predicted, classes=2)
        >>> metrics.balanced_accuracy.brief, metrics.macro_f1.brief, metrics.rows[1].precision
        ('83.3 %', '73.3 %', 0.5)
    """

    confusion: tuple[tuple[int, int, int], ...]
    classes: int
    names: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, labels: Tensor, predicted: Tensor, *, classes: int, names: Sequence[str] | None = None
    ) -> "ClassMetrics":
        """Count true and predicted classes.

        Args:
            labels: true classes (n,).
            predicted: predicted classes (n,).
            classes: number of classes.
            names: names of the classes.
        """
        cells = torch.bincount(labels.cpu().long() * classes + predicted.cpu().long())
        known = [(int(cell), int(cells[cell])) for cell in cells.nonzero().flatten()]
        confusion = tuple((cell // classes, cell % classes, count) for cell, count in known)
        return cls(confusion, classes, tuple(map(str, names or ())))

    @cached_property
    def matrix(self) -> NDArray[np.int64]:
        """The confusion matrix (classes, classes): rows are true classes."""
        matrix = np.zeros((self.classes, self.classes), dtype=np.int64)
        for true, predicted, count in self.confusion:
            matrix[true, predicted] = count
        return matrix

    @property
    def rows(self) -> list[ClassRow]:
        """Metrics of every class."""
        right = self.matrix.diagonal()
        true, predicted = self.matrix.sum(axis=1), self.matrix.sum(axis=0)
        return [
            ClassRow.of(
                self.names[number] if self.names else str(number),
                right=int(right[number]),
                examples=int(true[number]),
                predicted=int(predicted[number]),
            )
            for number in range(self.classes)
        ]

    @property
    def balanced_accuracy(self) -> Measure:
        """Mean recall of the classes that have examples, with its 95 % bootstrap interval."""
        return self._averages[0]

    @property
    def macro_f1(self) -> Measure:
        """Mean F1 of the classes that have examples or predictions, with its interval."""
        return self._averages[1]

    @property
    def averages(self) -> tuple[Measure, ...]:
        """The averages over classes: balanced accuracy and macro F1."""
        return self._averages

    def to_json(self) -> dict[str, Any]:
        """Return the counts, and everything that follows from them, as JSON values."""
        return {
            "balanced_accuracy": self.balanced_accuracy.to_json(),
            "macro_f1": self.macro_f1.to_json(),
            "per_class": [dict(vars(row)) for row in self.rows],
            "confusion": [list(cell) for cell in self.confusion],
            "classes": self.classes,
            "names": list(self.names),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ClassMetrics":
        """Make class metrics from the values of `to_json`.

        Raises:
            KeyError: a value is missing.
            TypeError: a value has the wrong type.
            ValueError: a number is out of range.
        """
        classes, names = int(values["classes"]), tuple(map(str, values["names"]))
        cells = tuple((int(true), int(seen), int(n)) for true, seen, n in values["confusion"])
        inside = all(0 <= true < classes > seen >= 0 < n for true, seen, n in cells)
        if not cells or not inside or len(names) not in (0, classes):
            raise ValueError(f"the confusion matrix of {classes} classes is not valid")
        return cls(cells, classes, names)

    @cached_property
    def _averages(self) -> tuple[Measure, Measure]:
        """Balanced accuracy and macro F1, from the same resamples."""
        cells = np.array(self.confusion)
        counts = cells[:, 2].astype(np.float64)
        values = averages(cells, counts[None], self.classes)[:, 0].tolist()
        drawn = [averages(cells, part, self.classes) for part in resamples(counts)]
        balanced, macro = (
            Measure(name, value, *percentile_interval(value, each), int(counts.sum()), "%")
            for name, value, each in zip(NAMES, values, np.concatenate(drawn, axis=1), strict=True)
        )
        return balanced, macro


def averages(cells: NDArray[np.int64], counts: Counts, classes: int) -> Counts:
    """Return balanced accuracy and macro F1 in every resample: (2, draws).

    Args:
        cells: true and predicted class of every cell, in the first two columns (cells, …).
        counts: how often each cell occurs in every resample (draws, cells).
        classes: number of classes.
    """
    true, predicted = (sums_by_class(counts, cells[:, column], classes) for column in (0, 1))
    correct = cells[:, 0] == cells[:, 1]
    right = sums_by_class(counts[:, correct], cells[correct, 0], classes)
    return np.stack([_mean(right, true), _mean(2 * right, true + predicted)])


def _mean(values: Counts, totals: Counts) -> Counts:
    """Return the mean of values / totals over the classes whose total is not 0: (draws,)."""
    known = totals > 0
    shares = np.divide(values, totals, out=np.zeros_like(values), where=known)
    return np.asarray(shares.sum(axis=1) / known.sum(axis=1))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
