"""Average precision of one label, and how much each example contributes to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AveragePrecision:
    """Average precision of one label.

    Attributes:
        value: the average precision, between 0 and 1.
        influence: derivative of the value with respect to the weight of each example (n,),
            where all weights are 1. It sums to 0.
    """

    value: float
    influence: Values


def average_precision(scores: Values, positive: NDArray[np.bool_]) -> AveragePrecision:
    """Return the average precision of scores, with the influence of each example.

    AP = Σ_i y_i P_i / Σ_i y_i, where y_i is 1 for positive examples and P_i is the precision at
    the threshold s_i, that is, of all examples whose score is at least s_i. Equal scores
    share one threshold. With example weights w_k, P_i = Σ_k w_k y_k [s_k ≥ s_i] / C_i and
    C_i = Σ_k w_k [s_k ≥ s_i], from which the derivatives follow:
    ∂AP/∂w_k = (y_k P_k − y_k AP + Σ_{i: s_i ≤ s_k} y_i (y_k − P_i) / C_i) / Σ_i y_i.

    The sum of their squares is the infinitesimal jackknife estimate of the variance.
    Sources: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008,
    section 8.4; Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", 1982,
    chapter 6.

    Args:
        scores: score of each example (n,).
        positive: whether each example has the label (n,); at least one does.

    Examples:
        >>> found = average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]))
        >>> round(found.value, 4), bool(abs(found.influence.sum()) < 1e-12)
        (0.8333, True)
    """
    order = np.argsort(-scores, kind="stable")
    sorted_scores, labels = scores[order], positive[order].astype(np.float64)
    # Examples with equal scores have the precision of the last of them.
    last = np.append(np.flatnonzero(np.diff(sorted_scores)), len(scores) - 1)
    tie = np.searchsorted(last, np.arange(len(scores)))
    first = np.append(0, last[:-1] + 1)[tie]
    counts = last[tie] + 1.0
    precision = np.cumsum(labels)[last[tie]] / counts
    total = labels.sum()
    value = float((labels * precision).sum() / total)
    # Sums over all examples whose score is at most that of the example.
    inverse, weighted = (
        np.cumsum((labels * factor / counts)[::-1])[::-1][first] for factor in (1.0, precision)
    )
    influence = np.empty_like(labels)
    influence[order] = labels * (precision - value + inverse) - weighted
    return AveragePrecision(value, influence / total)
