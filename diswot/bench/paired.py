"""Paired comparisons of measurements with equal seeds."""

import numpy as np
from scipy.stats import t, ttest_1samp

from diswot.bench.association import Vector


def paired_p(differences: Vector) -> float:
    """Return the two-sided p-value of a paired t-test.

    Args:
        differences: differences of two measurements with the same seed, shape (seeds,), at
            least 2. If all are equal, p is its limit: 1 if they are zero, else 0.

    Examples:
        >>> round(paired_p(np.array([1.0, 2.0, 3.0])), 4), paired_p(np.zeros(3))
        (0.0742, 1.0)
    """
    if np.ptp(differences) == 0:  # the test divides by their spread
        return 1.0 if differences[0] == 0 else 0.0
    return float(ttest_1samp(differences, 0.0).pvalue)


def paired_interval(differences: Vector) -> tuple[float, float]:
    """Return the 95 % interval of a mean difference, by Student's t.

    Args:
        differences: differences of two measurements with the same seed, shape (seeds,), at
            least 2.

    Examples:
        >>> low, high = paired_interval(np.array([1.0, 2.0, 3.0]))
        >>> round(low, 2), round(high, 2)
        (-0.48, 4.48)
    """
    count, mean = len(differences), float(np.mean(differences))
    half = float(t.ppf(0.975, count - 1) * np.std(differences, ddof=1) / count**0.5)
    return mean - half, mean + half
