"""Check of the class order of a teacher's outputs by its predictions."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from diswot.tasks.images.teachers._class_order import ClassOrder, labels_in, shortened
from diswot.tasks.images.teachers._predictions import Predictions

_KNOWS = 0.3
"""Minimum accuracy of a trained network, on a scale from 0 (always the most frequent class)
to 1 (always right)."""

_CONVINCING = 0.5
"""Minimum accuracy of a trained network whose outputs are assigned to the classes that fit
best."""

_RIGHT_ENOUGH = 0.9
"""Accuracy on the first images from which no other order is tried."""


@dataclass(frozen=True)
class OrderCheck:
    """A teacher's predictions, compared with the classes in several orders.

    Attributes:
        order: class order in use.
        outputs: index of the largest output for each image, shape (n,).
        labels: class of each image, shape (n,).
    """

    order: ClassOrder
    outputs: NDArray[np.int64]
    labels: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """Accuracy with the order in use."""
        return self._accuracy(self.order.labels)

    @property
    def better(self) -> str | None:
        """A description of a named order that is significantly better, or `None`."""
        classes = self.order.classes
        results = {name: labels_in(name, classes) for name in ("data", "natural", "text")}
        best = max(results, key=lambda name: self._accuracy(results[name]))
        if not self._beats(self._right(results[best])):
            return None
        names = shortened([classes[label] for label in results[best]])
        return (
            f"{self.accuracy:.0%} accuracy with its outputs in the order {self.order}, but "
            f"{self._accuracy(results[best]):.0%} in {best} order ({names}), on {len(self.labels)} "
            f"images: use --teacher-classes {best}"
        ).replace("%", " %")

    @property
    def reassigned(self) -> str | None:
        """A description of another order that is significantly better, or `None`.

        The best one-to-one assignment of outputs to classes is fitted on each half of the images
        and evaluated on the other half.
        """
        halves = [np.arange(len(self.labels)) % 2 == part for part in (0, 1)]
        right = np.zeros(len(self.labels), dtype=bool)
        for fitted, counted in (halves, halves[::-1]):
            assigned = np.array(self._assigned(fitted))
            right[counted] = assigned[self.outputs[counted]] == self.labels[counted]
        if not self._beats(right) or right.mean() < _CONVINCING:
            return None
        whole = self._assigned(np.ones(len(self.labels), dtype=bool))
        names = shortened([self.order.classes[label] for label in whole])
        return (
            f"{self.accuracy:.0%} accuracy with its outputs in the order {self.order}, but "
            f"{right.mean():.0%} if they are in another order that begins with {names}: name "
            "their classes with --teacher-classes FILE (a name on each line)"
        ).replace("%", " %")

    @property
    def advice(self) -> str:
        """Advice for a teacher whose accuracy is near chance."""
        if problem := self.better or self.reassigned:
            return f"it has {problem}"
        return (
            f"its outputs are taken in the order {self.order}, and no other order has better "
            f"accuracy; check that its weights are for these classes (--teacher-weights), and "
            f"how images "
            "were normalized when it was trained (diswot.tasks.images.teachers.AsTrained)"
        )

    def _right(self, labels: tuple[int, ...]) -> NDArray[np.bool_]:
        return np.asarray(np.array(labels)[self.outputs] == self.labels)

    def _accuracy(self, labels: tuple[int, ...]) -> float:
        return float(self._right(labels).mean())

    def _beats(self, right: NDArray[np.bool_]) -> bool:
        """Return whether predictions are significantly better than those in use.

        They must also be better than always predicting the most frequent class. The test is a
        one-sided sign test on the images on which the two differ.
        """
        from scipy.stats import binomtest

        used = self._right(self.order.labels)
        gained, lost = int((right & ~used).sum()), int((used & ~right).sum())
        one_class = np.bincount(self.labels).max() / len(self.labels)
        if gained <= lost or right.mean() < one_class + _KNOWS * (1 - one_class):
            return False
        return bool(binomtest(gained, gained + lost, alternative="greater").pvalue < 1e-3)

    def _assigned(self, some: NDArray[np.bool_]) -> tuple[int, ...]:
        """Return the class of each output that maximizes the accuracy on some images."""
        from scipy.optimize import linear_sum_assignment

        count = len(self.order.classes)
        table = np.zeros((count, count))
        np.add.at(table, (self.outputs[some], self.labels[some]), 1)
        table[np.arange(count), self.order.labels] += 1e-3  # ties favor the order in use
        return tuple(map(int, linear_sum_assignment(table, maximize=True)[1]))


def check_order(order: ClassOrder, predictions: Predictions) -> OrderCheck:
    """Compare a teacher's predictions with the classes; stop early if they agree.

    Args:
        order: class order in use.
        predictions: predictions of the teacher, with outputs permuted to the data's order.
    """
    labels = torch.tensor(order.labels)
    outputs: list[int] = []
    for predicted in predictions:
        outputs += labels.argsort()[predicted].tolist()  # label → output
        right = labels[outputs] == predictions.labels[: len(outputs)]
        if right.float().mean() >= _RIGHT_ENOUGH:
            break
    return OrderCheck(order, np.array(outputs), predictions.labels[: len(outputs)].numpy())
