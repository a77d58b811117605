"""Matthews correlation of classifiers, and the difference of two, with 95 % intervals."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from diswot.tasks._batch import Batch
from diswot.tasks._bootstrap import Counts, percentile_interval, resamples, sums_by_class
from diswot.tasks._class_balance import class_labels
from diswot.tasks._difference import Difference, check_paired
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._measure import Measure
from diswot.tasks._metric import Metric

LEAST_CORRELATION = 0.02
"""Lower end of the interval above which a classifier counts as better than chance."""


class Matthews(Metric):
    """Matthews correlation coefficient: 1 for perfect predictions, 0 for chance.

    Unlike the accuracy, it does not increase by always predicting the most frequent class.
    Intervals are percentile bootstraps over examples.

    Sources: Matthews, "Comparison of the predicted and observed secondary structure of T4 phage
    lysozyme", 1975; for several classes Gorodkin, "Comparing two K-category assignments by a
    K-category correlation coefficient", 2004, equation 8.
    """

    name = "Matthews correlation"
    unit = ""
    classifies = True

    def values(self, output: Tensor, _batch: Batch) -> Tensor:
        """Return the predicted class of each example: (B,)."""
        return output.argmax(1).double()

    def summarize(self, values: Tensor, dataset: Examples, split: SplitName) -> Measure:
        """Return the correlation with its 95 % interval."""
        cells, counts = cells_of(class_labels(dataset, split), values)
        result = float(_correlation(cells, counts[None])[0])
        drawn = np.concatenate([_correlation(cells, part) for part in resamples(counts)])
        return Measure(self.name, result, *percentile_interval(result, drawn), len(values))

    def difference(
        self, one: Tensor, other: Tensor, dataset: Examples, split: SplitName
    ) -> Difference:
        """Return the correlation of `one` minus that of `other`, with a paired bootstrap."""
        check_paired(one, other)
        cells, counts = cells_of(class_labels(dataset, split), one, other)
        first, second = cells[:2], cells[[0, 2]]

        def differences(drawn: Counts) -> Counts:
            return _correlation(first, drawn) - _correlation(second, drawn)

        result = float(differences(counts[None])[0])
        drawn = np.concatenate([differences(part) for part in resamples(counts)])
        return Difference(result, *percentile_interval(result, drawn), self.unit)

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the lower end of the interval is below 0.02."""
        return self.summarize(values, dataset, split).low < LEAST_CORRELATION


def cells_of(*assignments: Tensor) -> tuple[NDArray[np.int64], Counts]:
    """Return the distinct tuples of classes (assignments, cells) and their counts (cells,)."""
    stacked = np.stack([item.long().cpu().numpy() for item in assignments])
    cells, counts = np.unique(stacked, axis=1, return_counts=True)
    return cells, counts.astype(np.float64)


def _correlation(cells: NDArray[np.int64], counts: Counts) -> Counts:
    """Return the correlations (draws,) of two assignments.

    Args:
        cells: classes of both assignments in every cell (2, cells).
        counts: how often each cell occurs in every resample (draws, cells).

    Returns:
        Correlations; 0 if one of the assignments is constant.
    """
    classes = int(cells.max()) + 1
    true, predicted = (sums_by_class(counts, own, classes) for own in cells)
    right = counts @ (cells[0] == cells[1])
    total = counts.sum(axis=1)
    covariance = right * total - (true * predicted).sum(axis=1)
    variances = (total**2 - (true**2).sum(axis=1)) * (total**2 - (predicted**2).sum(axis=1))
    result = np.zeros(len(counts))
    np.divide(covariance, np.sqrt(variances), out=result, where=variances > 0)
    return result
