"""Matthews correlation of classifiers, and the difference of two, with 95 % intervals."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.tasks._batch import Batch
from diswot.tasks._difference import Difference, check_paired
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._measure import Measure
from diswot.tasks._metric import MOST_AT_ONCE, Metric

LEAST_CORRELATION = 0.02
"""Lower end of the interval above which a classifier counts as better than chance."""

DRAWS = 1_000
"""Number of bootstrap resamples for an interval."""

_Counts = NDArray[np.float64]


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
        cells, counts = _cells(_labels(dataset, split), values)
        result = float(_correlation(cells, counts[None])[0])
        low, high = _interval(_correlation(cells, _resampled(counts)))
        return Measure(self.name, result, min(low, result), max(high, result), len(values))

    def difference(
        self, one: Tensor, other: Tensor, dataset: Examples, split: SplitName
    ) -> Difference:
        """Return the correlation of `one` minus that of `other`, with a paired bootstrap."""
        check_paired(one, other)
        cells, counts = _cells(_labels(dataset, split), one, other)
        first, second = cells[:2], cells[[0, 2]]

        def differences(drawn: _Counts) -> _Counts:
            return _correlation(first, drawn) - _correlation(second, drawn)

        result = float(differences(counts[None])[0])
        low, high = _interval(differences(_resampled(counts)))
        return Difference(result, min(low, result), max(high, result), self.unit)

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the lower end of the interval is below 0.02."""
        return self.summarize(values, dataset, split).low < LEAST_CORRELATION


def _labels(dataset: Examples, split: SplitName) -> Tensor:
    """Return the classes of a split (n,)."""
    results = []
    for indices in torch.split(torch.arange(dataset.size(split)), MOST_AT_ONCE):
        labels = dataset.batch(split, indices).labels
        if labels is None:
            raise ValueError("Expected examples with labels, but got none")
        results.append(labels)
    return torch.cat(results)


def _cells(*assignments: Tensor) -> tuple[NDArray[np.int64], _Counts]:
    """Return the distinct tuples of classes (assignments, cells) and their counts (cells,)."""
    stacked = np.stack([item.long().cpu().numpy() for item in assignments])
    cells, counts = np.unique(stacked, axis=1, return_counts=True)
    return cells, counts.astype(np.float64)


def _resampled(counts: _Counts) -> _Counts:
    """Resample all examples with replacement; return counts of the cells (draws, cells)."""
    rng = np.random.default_rng(0)
    total = int(counts.sum())
    return rng.multinomial(total, counts / total, size=DRAWS).astype(np.float64)


def _correlation(cells: NDArray[np.int64], counts: _Counts) -> _Counts:
    """Return the correlations (draws,) of two assignments.

    Args:
        cells: classes of both assignments in every cell (2, cells).
        counts: how often each cell occurs in every resample (draws, cells).

    Returns:
        Correlations; 0 if one of the assignments is constant.
    """
    classes = np.arange(cells.max() + 1)
    true, predicted = (counts @ (own[:, None] == classes) for own in cells)
    right = counts @ (cells[0] == cells[1])
    total = counts.sum(axis=1)
    covariance = right * total - (true * predicted).sum(axis=1)
    variances = (total**2 - (true**2).sum(axis=1)) * (total**2 - (predicted**2).sum(axis=1))
    result = np.zeros(len(counts))
    np.divide(covariance, np.sqrt(variances), out=result, where=variances > 0)
    return result


def _interval(drawn: _Counts) -> tuple[float, float]:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)
