"""Statistical comparison of the results of two engines."""

from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu

from diswot.bench.rank_statistics import Estimate, Vector

RESAMPLES = 999
"""Number of bootstrap resamples of an interval."""

SIGNIFICANT = 0.05


class Comparison(NamedTuple):
    """Result of a comparison of two samples.

    Attributes:
        wins: share of all pairs in which the first is larger; ties count half.
        p: two-sided p-value of the Mann–Whitney test.
    """

    wins: float
    p: float

    @property
    def verdict(self) -> str:
        """`better` or `worse` if p < 0.05, else `no better`."""
        if self.p >= SIGNIFICANT:
            return "no better"
        return "better" if self.wins > 0.5 else "worse"


def compared(ours: Vector, others: Vector) -> Comparison:
    """Compare two samples with the Mann–Whitney test.

    Source: Mann and Whitney, Annals of Mathematical Statistics 18, 1947; the share of pairs
    is the A of Vargha and Delaney, Journal of Educational and Behavioral Statistics 25, 2000.

    Examples:
        >>> compared(np.array([1.0, 2.0]), np.array([1.0, 0.0])).wins
        0.875
    """
    pairs = len(ours) * len(others)
    # All values are tied, for which the test is undefined.
    if np.ptp(np.concatenate([ours, others])) == 0:
        return Comparison(0.5, 1.0)
    result = mannwhitneyu(ours, others, alternative="two-sided")
    return Comparison(float(result.statistic) / pairs, float(result.pvalue))


def median_difference(ours: Vector, others: Vector, *, seed: int = 0) -> Estimate:
    """Return the difference of the medians with its 95 % bootstrap interval.

    The two samples are resampled independently.
    """
    rng = np.random.default_rng(seed)
    drawn = [
        np.median(item[rng.integers(len(item), size=(RESAMPLES, len(item)))], axis=1)
        for item in (ours, others)
    ]
    low, high = np.quantile(drawn[0] - drawn[1], [0.025, 0.975])
    return Estimate(float(np.median(ours) - np.median(others)), float(low), float(high))


def reason(
    verdict: str, by_score: str, *, seen: float, reached: float, random: float, top: float
) -> str:
    """Return, in words, why an engine is not better than random search.

    Args:
        verdict: verdict of the comparison of accuracies.
        by_score: verdict of the comparison of scores.
        seen: share of the networks within budget that were evaluated.
        reached: share of the random searches that found the best score.
        random: median accuracy of the random searches in %.
        top: accuracy in % of the architecture with the best score.

    Examples:
        >>> reason("worse", "better", seen=0.1, reached=0.0, random=70.42, top=65.71)
        'it finds higher scores, but the top-scoring network has only 65.71 %'
    """
    # Either the engine finds no better scores, or better scores are not better accuracies.
    if verdict == "better":
        return ""
    if seen >= 1:
        return "all networks in budget are evaluated"
    if by_score == "worse":
        return "it finds lower scores"
    if by_score == "better" and top <= random:
        return f"it finds higher scores, but the top-scoring network has only {top:.2f} %"
    if by_score == "better":
        return (
            "it finds higher scores, but the difference in accuracy is not significant "
            f"(the top-scoring network has {top:.2f} %)"
        )
    if reached >= 0.5:
        return "random search also finds the best score"
    return "it finds no higher scores"
