"""Metrics per class: confusion matrix, precision, recall, F1, and their averages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.tasks._measure import Measure

DRAWS = 1_000
"""Number of bootstrap resamples for an interval."""

AT_ONCE = 2**22
"""Cells of confusion matrices that are resampled at once, to bound the memory."""

_Counts: TypeAlias = NDArray[np.float64]

_Average: TypeAlias = Callable[[NDArray[np.int64], _Counts, int], _Counts]
"""(cells, counts of the cells (draws, cells), number of classes) → averages (draws,)."""


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
        >>> found = ClassMetrics.of(labels, predicted, classes=2)
        >>> found.balanced_accuracy.brief, found.macro_f1.brief, found.rows[1].precision
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
        found = tuple((cell // classes, cell % classes, count) for cell, count in known)
        return cls(found, classes, tuple(map(str, names or ())))

    @cached_property
    def matrix(self) -> NDArray[np.int64]:
        """The confusion matrix (classes, classes): rows are true classes."""
        found = np.zeros((self.classes, self.classes), dtype=np.int64)
        for true, predicted, count in self.confusion:
            found[true, predicted] = count
        return found

    @property
    def rows(self) -> list[ClassRow]:
        """Metrics of every class."""
        right = self.matrix.diagonal()
        true, predicted = self.matrix.sum(axis=1), self.matrix.sum(axis=0)
        return [
            ClassRow(
                self.names[number] if self.names else str(number),
                _share(right[number], predicted[number]),
                _share(right[number], true[number]),
                _share(2 * right[number], true[number] + predicted[number]),
                int(true[number]),
            )
            for number in range(self.classes)
        ]

    @cached_property
    def balanced_accuracy(self) -> Measure:
        """Mean recall of the classes that have examples, with its 95 % bootstrap interval."""
        return self._measure("balanced accuracy", _balanced)

    @cached_property
    def macro_f1(self) -> Measure:
        """Mean F1 of the classes that have examples or predictions, with its interval."""
        return self._measure("macro F1", _macro)

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

    def _measure(self, name: str, compute: _Average) -> Measure:
        cells = np.array(self.confusion)
        counts = cells[:, 2].astype(np.float64)
        value = float(compute(cells, counts[None], self.classes)[0])
        rng, total = np.random.default_rng(0), int(counts.sum())
        size = max(1, AT_ONCE // max(len(cells), self.classes))
        drawn = [
            compute(
                cells,
                rng.multinomial(total, counts / total, size=min(size, DRAWS - first)).astype(float),
                self.classes,
            )
            for first in range(0, DRAWS, size)
        ]
        low, high = np.quantile(np.concatenate(drawn), (0.025, 0.975))
        return Measure(name, value, min(float(low), value), max(float(high), value), total, "%")


def _sums(
    cells: NDArray[np.int64], counts: _Counts, classes: int
) -> tuple[_Counts, _Counts, _Counts]:
    """Return correct, true and predicted examples of every class, each (draws, classes)."""
    numbers = np.arange(classes)
    true = counts @ (cells[:, :1] == numbers)
    predicted = counts @ (cells[:, 1:2] == numbers)
    right = counts @ ((cells[:, :1] == numbers) & (cells[:, 1:2] == numbers))
    return right, true, predicted


def _mean(values: _Counts, totals: _Counts) -> _Counts:
    """Return the mean of values / totals over the classes whose total is not 0: (draws,)."""
    known = totals > 0
    shares = np.divide(values, totals, out=np.zeros_like(values), where=known)
    return np.asarray(shares.sum(axis=1) / known.sum(axis=1))


def _balanced(cells: NDArray[np.int64], counts: _Counts, classes: int) -> _Counts:
    right, true, _ = _sums(cells, counts, classes)
    return _mean(right, true)


def _macro(cells: NDArray[np.int64], counts: _Counts, classes: int) -> _Counts:
    right, true, predicted = _sums(cells, counts, classes)
    return _mean(2 * right, true + predicted)


def _share(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None
