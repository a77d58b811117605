"""How the terms of a scorer become one score."""

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Combination: TypeAlias = Literal["sum", "rank", "standard"]
COMBINATIONS: tuple[Combination, ...] = get_args(Combination)

Matrix: TypeAlias = NDArray[np.float64]


def combine(terms: Matrix, how: Combination, reference: Matrix) -> Matrix:
    """Combine terms (n candidates × t terms) into n scores, higher is better.

    Args:
        terms: each candidate's terms, means over the repeats.
        how: `sum`, unweighted, as the paper prints it; `rank`, the mean over the
            terms of the rank within these n candidates, from 0 to 1; or `standard`,
            the sum of the terms after subtracting the mean and dividing by the
            standard deviation of the reference.
        reference: terms of a random sample of the space (m × t), for `standard`.

    Examples:
        >>> terms = np.array([[0.1, 30.0], [0.2, 10.0], [0.4, 20.0]])
        >>> combine(terms, "rank", terms)
        array([0.5 , 0.25, 0.75])
    """
    if how == "sum":
        return np.asarray(terms.sum(axis=1))
    if how == "rank":
        ranks = (rankdata(terms, axis=0) - 1) / max(1, len(terms) - 1)
        return np.asarray(ranks.mean(axis=1))
    spread = reference.std(axis=0)
    return np.asarray(((terms - reference.mean(axis=0)) / np.where(spread > 0, spread, 1)).sum(1))
