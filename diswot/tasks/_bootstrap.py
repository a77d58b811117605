"""Bootstrap of metrics that are computed from counts, such as those of a confusion matrix."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

DRAWS = 1_000
"""Number of bootstrap resamples for an interval."""

AT_ONCE = 2**22
"""Counts that are resampled at once, to bound the memory."""

Counts: TypeAlias = NDArray[np.float64]


def resamples(counts: Counts) -> Iterator[Counts]:
    """Resample all examples with replacement, always in the same way.

    Args:
        counts: number of examples in each cell (cells,).

    Yields:
        Numbers of examples in each cell (draws, cells), altogether `DRAWS` draws.
    """
    rng, total = np.random.default_rng(0), int(counts.sum())
    size = max(1, AT_ONCE // len(counts))
    for first in range(0, DRAWS, size):
        drawn = rng.multinomial(total, counts / total, size=min(size, DRAWS - first))
        yield drawn.astype(np.float64)


def percentile_interval(value: float, drawn: Counts) -> tuple[float, float]:
    """Return the 95 % percentile interval of a metric, which contains its value.

    Args:
        value: the metric.
        drawn: the metric in each resample (draws,).
    """
    low, high = np.quantile(drawn, (0.025, 0.975))
    return min(float(low), value), max(float(high), value)


def sums_by_class(counts: Counts, owners: NDArray[np.int64], classes: int) -> Counts:
    """Return the examples of each class (draws, classes).

    Args:
        counts: numbers of examples in each cell (draws, cells).
        owners: class of each cell (cells,).
        classes: number of classes.
    """
    sums = [np.bincount(owners, row, minlength=classes) for row in counts]
    return np.stack(sums, dtype=np.float64)  # bincount of no cells gives integers
