"""Rank statistics for selection: top correlation, regret and nDCG."""

import numpy as np
from sklearn.metrics import ndcg_score

from diswot.bench.association import UndefinedStatisticError, Vector, check_columns, spearman

TOP = 0.1
"""Share of the most accurate architectures that counts as the top."""


def spearman_top(scores: Vector, accuracies: Vector) -> float | None:
    """Return Spearman's ρ among the most accurate 10 %, including ties at the edge.

    `None` if these are fewer than three, or have equal scores or accuracies. Both arguments have
    shape (n,).

    Examples:
        >>> accuracies = np.arange(30.0)
        >>> spearman_top(np.where(accuracies < 27, accuracies, -accuracies), accuracies)
        -1.0
    """
    count = int(np.ceil(TOP * len(accuracies)))
    inside = accuracies >= np.sort(accuracies)[-count]
    try:
        return spearman(scores[inside], accuracies[inside])
    except UndefinedStatisticError:
        return None


def regret(scores: Vector, accuracies: Vector, *, top: int) -> float:
    """Return the regret of choosing the best of the `top` highest scores, in points.

    The regret is the highest accuracy minus the highest among the `top`. If scores tie at the
    edge, it is the mean over all ways to choose among the ties. Both arguments have shape (n,).

    Examples:
        >>> accuracies = np.array([70.0, 72.0, 71.0])
        >>> regret(np.array([3.0, 1.0, 2.0]), accuracies, top=1)
        2.0
        >>> regret(np.ones(3), accuracies, top=1)
        1.0
    """
    top = min(top, len(scores))
    edge = np.sort(scores)[-top]
    # Architectures above the edge are always among the top; ties at the edge fill the rest.
    surely = accuracies[scores > edge]
    tied = np.sort(accuracies[scores == edge])[::-1]
    left = np.arange(len(tied), 0, -1)
    # Probability that none of the k most accurate ties is chosen, for k = 1, 2, …: the product
    # of the probabilities that each in turn is not among the free places.
    missed = np.cumprod((left - (top - len(surely))).clip(0) / left)
    is_best = -np.diff(missed, prepend=1.0)
    result = is_best @ np.maximum(tied, surely.max(initial=-np.inf))
    return float(max(accuracies.max() - result, 0.0))


def ndcg(scores: Vector, accuracies: Vector) -> float:
    """Return the normalized discounted cumulative gain (nDCG) of the whole ranking, in [0, 1].

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques",
    TOIS 20, 2002: Σ relevance / log₂(1 + rank) over all architectures in the order of
    their scores, divided by the same in the order of their accuracies. The relevance is
    the accuracy, scaled so that the least accurate has 0 and the most accurate 1; equal
    scores share the mean of their places.

    Raises:
        UndefinedStatisticError: a column is constant, too short or not finite.

    Examples:
        >>> round(ndcg(np.array([3.0, 2.0, 1.0]), np.array([1.0, 0.0, 2.0])), 3)
        0.76
    """
    check_columns(scores=scores, accuracies=accuracies)
    low, high = accuracies.min(), accuracies.max()
    return float(ndcg_score([(accuracies - low) / (high - low)], [scores]))
