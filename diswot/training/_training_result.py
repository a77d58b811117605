"""The result of a training."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from diswot.tabular import Tabular
from diswot.tasks import ClassMetrics, LabelMetrics, Measure
from diswot.training._metrics import TRAIN_READS, Epoch


@dataclass(frozen=True)
class Training(Tabular):
    """The result of a training.

    Attributes:
        objective: the loss, as written by the user.
        history: metrics of every epoch.
        best_epoch: number of the epoch whose weights were kept, from 1: the last one with the
            best measure on the validation split.
        val: measure on the validation split at the best epoch. It is biased upwards, because
            the epoch was selected by it.
        test: measure on the test split, which is not used for selection.
        seconds: training time, without interruptions.
        test_values: the metric's value (n,) for each test example; `None` if the metric has
            none, or if the result was read from a folder.
        classes: metrics per class on the test split, with balanced accuracy and macro F1, or
            per label with average precisions; `None` for networks that are not classifiers.
    """

    objective: str
    history: tuple[Epoch, ...]
    best_epoch: int
    val: Measure
    test: Measure
    seconds: float
    test_values: Tensor | None = field(default=None, repr=False, compare=False)
    classes: ClassMetrics | LabelMetrics | None = field(default=None, repr=False, compare=False)

    @property
    def train_reads(self) -> int | None:
        """Number of training examples that its batches were made of; `None` if not counted."""
        counted = self.history[-1].values.get(TRAIN_READS) if self.history else None
        return None if counted is None else int(counted)

    @property
    def caption(self) -> str:
        """Loss and measures in one line."""
        return (
            f"{self.objective}: test {self.test.name} {self.test}, validation {self.val}, "
            f"from epoch {self.best_epoch} of {len(self.history)}"
        )

    def to_records(self) -> list[dict[str, Any]]:
        """Return the metrics of every epoch, by column of `metrics.csv`."""
        return [epoch.to_row() for epoch in self.history]
