"""Students of a run compared example by example, in the direction of their metric."""

from dataclasses import dataclass
from functools import lru_cache

from torch import Tensor

from diswot.search import Costs
from diswot.tasks import Dataset, Difference, Measure, SplitName


@dataclass(frozen=True, eq=False)
class TrainedStudent:
    """A student of a run, as far as a verdict needs to know it.

    Attributes:
        label: what it is in the run: `winner`, `largest`, …
        name: its architecture.
        costs: parameters and multiply-adds.
        loss: what it was trained with; the first of the task's losses is without the teacher.
        val: the metric's value of each example of the validation split (N,).
        test: the same of the test split (M,).
    """

    label: str
    name: str
    costs: Costs
    loss: str
    val: Tensor
    test: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Sort key, smaller is cheaper."""
        return self.costs.params, self.costs.macs


class Comparison:
    """Compares students by the first metric of their data.

    Args:
        dataset: what they were trained on and measured with.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.metric, self.task = dataset.metrics[0], dataset.task
        self._dataset = dataset
        self.measure = lru_cache(None)(self._measured)

    def _measured(self, student: TrainedStudent, split: SplitName) -> Measure:
        """Return the measure of a student on a split."""
        return self.metric.summarize(_values(student, split), self._dataset, split)

    def merit(self, student: TrainedStudent) -> tuple[float, int, int]:
        """Sort key, better is larger: the measure on the validation split, then cheapness."""
        params, macs = student.size
        return self.measure(student, "val").merit, -params, -macs

    def difference(
        self, one: TrainedStudent, other: TrainedStudent, split: SplitName
    ) -> Difference:
        """Return the metric of `one` minus that of `other`, paired by example."""
        values = _values(one, split), _values(other, split)
        return self.metric.difference(*values, self._dataset, split)

    def is_better(self, one: TrainedStudent, other: TrainedStudent, split: SplitName) -> bool:
        """Return whether `one` is better, by more than the interval of their difference."""
        found = self.difference(one, other, split)
        return found.low > 0 if self.metric.higher_is_better else found.high < 0


def _values(student: TrainedStudent, split: SplitName) -> Tensor:
    return student.val if split == "val" else student.test
