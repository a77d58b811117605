"""Whether the searches of one engine end higher than those of another."""

from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu

from diswot.bench.rank_statistics import Estimate, Vector

RESAMPLES = 999
"""Bootstrap resamples of an interval."""

SIGNIFICANT = 0.05


class Comparison(NamedTuple):
    """Two samples: how often the first is ahead, and how likely that is by chance.

    Attributes:
        wins: share of the pairs in which the first is ahead, ties counted half.
        p: two-sided.
    """

    wins: float
    p: float

    @property
    def verdict(self) -> str:
        """Whether the first is ahead."""
        if self.p >= SIGNIFICANT:
            return "no better"
        return "better" if self.wins > 0.5 else "worse"


def compared(ours: Vector, others: Vector) -> Comparison:
    """Compare two samples by ranks.

    Source: Mann and Whitney, Annals of Mathematical Statistics 18, 1947; the share of pairs
    is the A of Vargha and Delaney, Journal of Educational and Behavioral Statistics 25, 2000.

    Examples:
        >>> compared(np.array([1.0, 2.0]), np.array([1.0, 0.0])).wins
        0.875
    """
    pairs = len(ours) * len(others)
    if np.ptp(np.concatenate([ours, others])) == 0:
        return Comparison(0.5, 1.0)
    found = mannwhitneyu(ours, others, alternative="two-sided")
    return Comparison(float(found.statistic) / pairs, float(found.pvalue))


def median_difference(ours: Vector, others: Vector, *, seed: int = 0) -> Estimate:
    """Return by how much the first median is ahead, with its 95 % bootstrap interval.

    Both samples are drawn again, each on its own.
    """
    rng = np.random.default_rng(seed)
    drawn = [
        np.median(each[rng.integers(len(each), size=(RESAMPLES, len(each)))], axis=1)
        for each in (ours, others)
    ]
    low, high = np.quantile(drawn[0] - drawn[1], [0.025, 0.975])
    return Estimate(float(np.median(ours) - np.median(others)), float(low), float(high))


def reason(
    verdict: str, by_score: str, *, seen: float, reached: float, random: float, top: float
) -> str:
    """Return what keeps an engine from being better than random search.

    Args:
        verdict: on its accuracies.
        by_score: the same on its scores.
        seen: share of what is in budget that was evaluated.
        reached: share of the random searches that found the best score.
        random: median accuracy of the random searches.
        top: accuracy of the architecture that scores best.

    Examples:
        >>> reason("worse", "better", seen=0.1, reached=0.0, random=70.42, top=65.71)
        'it finds higher scores, but the score misleads: what scores best reaches 65.71 %'
    """
    if verdict == "better":
        return ""
    if seen >= 1:
        return "all in budget has been seen"
    if by_score == "worse":
        return "it finds lower scores"
    if by_score == "better" and top <= random:
        return (
            f"it finds higher scores, but the score misleads: what scores best reaches {top:.2f} %"
        )
    if by_score == "better":
        return (
            "it finds higher scores, but these are not clearly more accurate "
            f"(what scores best reaches {top:.2f} %)"
        )
    if reached >= 0.5:
        return "random search finds the best score too"
    return "it finds no higher scores"
