"""Rank statistics of scores and accuracies, with bootstrap intervals."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from diswot.bench.association import (
    UndefinedStatisticError,
    Vector,
    check_columns,
    kendall,
    partial_kendall,
    pearson,
    spearman,
)
from diswot.bench.resampling import resampled
from diswot.bench.selection import ndcg, regret, spearman_top

__all__ = [
    "Estimate",
    "RankStatistics",
    "UndefinedStatisticError",
    "Vector",
    "kendall",
    "kendall_interval",
    "ndcg",
    "partial_kendall",
    "pearson",
    "rank_statistics",
    "regret",
    "spearman",
    "spearman_top",
]


@dataclass(frozen=True)
class Estimate:
    """A statistic and its 95 % interval.

    Attributes:
        value: statistic of the whole sample.
        low: 2.5th percentile over bootstrap resamples of the architectures.
        high: 97.5th percentile over the same resamples.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class RankStatistics:
    """Rank statistics of scores and accuracies of n architectures.

    Attributes:
        n: number of architectures.
        kendall: Kendall's τ-b.
        spearman: Spearman's ρ.
        pearson: Pearson's r.
        spearman_top: ρ among the most accurate 10 %; `None` if these are fewer than three, or
            have equal scores or accuracies.
        regret_1: highest accuracy minus that of the architecture with the highest score, in
            percentage points.
        regret_5: highest accuracy minus the highest among the 5 highest scores.
        regret_10: highest accuracy minus the highest among the 10 highest scores.
        ndcg: normalized discounted cumulative gain, see
            [`ndcg`][diswot.bench.selection.ndcg].
        partial: partial τ given the number of parameters; `None` if that determines the scores
            or the accuracies, or is the same for all.
        above_params: τ-b minus that of the parameter count on the same architectures, with the
            interval of the paired difference; `None` where parameters are the same for all.
    """

    n: int
    kendall: Estimate
    spearman: Estimate
    pearson: Estimate
    spearman_top: float | None
    regret_1: float
    regret_5: float
    regret_10: float
    ndcg: float
    partial: float | None
    above_params: Estimate | None


def rank_statistics(
    scores: Vector, accuracies: Vector, *, params: Vector, seed: int = 0
) -> RankStatistics:
    """Return all rank statistics of `scores` and `accuracies`.

    Intervals are percentile intervals over the same bootstrap resamples of the architectures:
    999, or 200 for more than 2,000 architectures.

    Args:
        scores: scores, shape (n,), higher is better; ties are allowed.
        accuracies: accuracies in %, shape (n,).
        params: numbers of parameters, shape (n,).
        seed: seed of the resamples.

    Raises:
        UndefinedStatisticError: scores or accuracies are constant, or a column is too
            short, has another length or a value that is not finite.

    Examples:
        >>> scores, accuracies = np.arange(10.0), np.arange(60.0, 70.0)
        >>> found = rank_statistics(scores, accuracies, params=scores[::-1] % 4)
        >>> found.n, found.regret_1, round(found.kendall.low, 6), round(found.ndcg, 6)
        (10, 0.0, 1.0, 1.0)
    """
    check_columns(scores=scores, accuracies=accuracies)
    resamples = resampled(scores, accuracies, seed=seed)
    return RankStatistics(
        n=len(scores),
        kendall=_estimate(kendall(scores, accuracies), resamples.kendall),
        spearman=_estimate(spearman(scores, accuracies), resamples.spearman),
        pearson=_estimate(pearson(scores, accuracies), resamples.pearson),
        spearman_top=spearman_top(scores, accuracies),
        regret_1=regret(scores, accuracies, top=1),
        regret_5=regret(scores, accuracies, top=5),
        regret_10=regret(scores, accuracies, top=10),
        ndcg=ndcg(scores, accuracies),
        partial=_partial(scores, accuracies, params),
        above_params=_above_params(scores, accuracies, params, resamples.kendall, seed),
    )


def kendall_interval(x: Vector, y: Vector, *, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval (low, high) of τ-b over the architectures.

    Raises:
        UndefinedStatisticError: a column is constant, too short or not finite.
    """
    check_columns(x=x, y=y)
    low, high = np.quantile(resampled(x, y, seed=seed).kendall, [0.025, 0.975])
    return float(low), float(high)


def _estimate(value: float, resamples: Vector) -> Estimate:
    low, high = np.quantile(resamples, [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def _above_params(
    scores: Vector, accuracies: Vector, params: Vector, resamples: Vector, seed: int
) -> Estimate | None:
    """Return by how much τ-b exceeds that of the parameters, resample by resample."""
    if (params == params[0]).all():
        return None
    columns = (np.asarray(item, float).tobytes() for item in (params, accuracies))
    others = _resampled_params(*columns, seed=seed)
    if len(others) != len(resamples):  # in some a column is constant: they are no longer paired
        return None
    value = kendall(scores, accuracies) - kendall(params, accuracies)
    return _estimate(value, resamples - others)


@lru_cache(maxsize=8)
def _resampled_params(params: bytes, accuracies: bytes, *, seed: int) -> Vector:
    """Return τ-b of the parameters in each resample, computed once for all scorers of a truth."""
    return resampled(np.frombuffer(params), np.frombuffer(accuracies), seed=seed).kendall


def _partial(scores: Vector, accuracies: Vector, params: Vector) -> float | None:
    if (params == params[0]).all():
        return None
    check_columns(scores=scores, params=params)
    try:
        return partial_kendall(scores, accuracies, [params])
    except UndefinedStatisticError:
        return None
