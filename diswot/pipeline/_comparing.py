"""Compare the students of a run by the first metric of their task, paired by example."""

from dataclasses import dataclass
from functools import lru_cache

from torch import Tensor

from diswot.search import Costs
from diswot.tasks import Dataset, Difference, Measure, SplitName


@dataclass(frozen=True, eq=False)
class TrainedStudent:
    """A trained student with the values on which the verdict is based.

    Attributes:
        label: its role in the run: `winner`, `largest`, …
        name: name of its architecture.
        costs: parameters and MACs.
        loss: loss of its training.
        val: the metric's values (N,) for the validation examples.
        test: the metric's values (M,) for the test examples.
    """

    label: str
    name: str
    costs: Costs
    loss: str
    val: Tensor
    test: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Sort key: parameters, then MACs."""
        return self.costs.params, self.costs.macs


class Comparison:
    """Compares students by the first metric of their dataset.

    Args:
        dataset: the dataset with which they were trained and evaluated.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.metric, self.task = dataset.metrics[0], dataset.task
        self._dataset = dataset
        self.measure = lru_cache(None)(self._measured)

    def _measured(self, student: TrainedStudent, split: SplitName) -> Measure:
        """Return the measure of a student on a split."""
        return self.metric.summarize(_values(student, split), self._dataset, split)

    def merit(self, student: TrainedStudent) -> tuple[float, int, int]:
        """Sort key, larger is better: measure on the validation split, then lower costs."""
        params, macs = student.size
        return self.measure(student, "val").merit, -params, -macs

    def difference(
        self, one: TrainedStudent, other: TrainedStudent, split: SplitName
    ) -> Difference:
        """Return the metric of `one` minus that of `other`, with a paired 95 % interval."""
        values = _values(one, split), _values(other, split)
        return self.metric.difference(*values, self._dataset, split)

    def is_better(self, one: TrainedStudent, other: TrainedStudent, split: SplitName) -> bool:
        """Return whether `one` is significantly better: the 95 % interval excludes 0."""
        difference = self.difference(one, other, split)
        return difference.low > 0 if self.metric.higher_is_better else difference.high < 0


def _values(student: TrainedStudent, split: SplitName) -> Tensor:
    return student.val if split == "val" else student.test
