"""Whether what was measured twice with the same seeds differs."""

import numpy as np
from scipy.stats import ttest_1samp

from diswot.bench.association import Vector


def paired_p(differences: Vector) -> float:
    """Return the two-sided p of a paired t-test.

    Args:
        differences: of two measurements with the same seed, one for each of 2 seeds or more.
            Where all are equal p is at its limit: 1 if they are zero, 0 otherwise.

    Examples:
        >>> round(paired_p(np.array([1.0, 2.0, 3.0])), 4), paired_p(np.zeros(3))
        (0.0742, 1.0)
    """
    if np.ptp(differences) == 0:  # the test divides by their spread
        return 1.0 if differences[0] == 0 else 0.0
    return float(ttest_1samp(differences, 0.0).pvalue)
