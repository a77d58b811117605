"""Paired significance test of measurements with equal seeds."""

import numpy as np
from scipy.stats import ttest_1samp

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
