"""Rank correlation of scores with measured accuracies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diswot.bench.measurement import Measured
from diswot.bench.rank_statistics import RankStatistics, Vector, kendall, rank_statistics
from diswot.errors import first_line
from diswot.scorers import find_scorer

BASELINES = ("params", "flops", "trainable_layers", "logrank(jacov,params)")
"""Baseline scorers, which are part of every table."""


@dataclass(frozen=True)
class Correlation:
    """Rank statistics of one scorer on one target of a ground truth.

    Attributes:
        truth: name of the ground truth.
        target: column of accuracies.
        scorer: name or expression of the scorer.
        architectures: number of architectures, including those that failed.
        failed: number of architectures without a score, which the statistics leave out.
        why: most frequent reason of failures; empty without any.
        repeats: number of initializations and batches over which each score is averaged.
        single_mean: mean over the repeats of the τ-b of a single repeat; `None` for one repeat.
        single_sd: standard deviation of the same.
        statistics: rank statistics, or `None` if undefined.
        undefined: why they are undefined; else empty.
    """

    truth: str
    target: str
    scorer: str
    architectures: int
    failed: int
    why: str
    repeats: int
    single_mean: float | None
    single_sd: float | None
    statistics: RankStatistics | None
    undefined: str = ""

    def merit(self) -> float:
        """Return the sort key: Kendall's τ, or −∞ if undefined."""
        return float("-inf") if self.statistics is None else self.statistics.kendall.value

    @property
    def baseline(self) -> bool:
        """Whether the scorer is one of `BASELINES`."""
        return self.scorer in BASELINES


def correlate(
    measured: Sequence[Measured],
    accuracies: Vector,
    scorer: str,
    *,
    truth: str,
    target: str,
    seed: int = 0,
) -> Correlation:
    """Correlate the scores of `scorer` with `accuracies`.

    Args:
        measured: measurements of n architectures, with the scorer's terms.
        accuracies: their accuracies in %, shape (n,), in the same order.
        scorer: name or expression; ranks in expressions are among these architectures.
        truth: name of the ground truth, copied to the result.
        target: column of accuracies, copied to the result.
        seed: seed of the bootstrap resamples.
    """
    sound = _sound(measured, scorer)
    failed = [_reason(item, scorer) for item in _where(~sound, measured)]
    # Statistics are over architectures with a score; failures are only counted.
    by_repeat = _by_repeat(_where(sound, measured), scorer)
    params = np.array([float(item.params) for item in measured])[sound]
    truth_values = accuracies[sound]
    statistics, undefined = None, ""
    singles: list[float] = []
    try:
        statistics = rank_statistics(by_repeat.mean, truth_values, params=params, seed=seed)
        singles = [kendall(scores, truth_values) for scores in by_repeat.each]
    except ValueError as error:
        undefined = first_line(error)
    return Correlation(
        truth=truth,
        target=target,
        scorer=scorer,
        architectures=len(measured),
        failed=len(failed),
        why=max(set(failed), key=failed.count) if failed else "",
        repeats=len(by_repeat.each),
        single_mean=float(np.mean(singles)) if len(singles) > 1 else None,
        single_sd=float(np.std(singles, ddof=1)) if len(singles) > 1 else None,
        statistics=statistics,
        undefined=undefined,
    )


def _reason(measured: Measured, scorer: str) -> str:
    """Return why the first failed term of a scorer failed."""
    terms = find_scorer(scorer).terms
    return next(measured.failures[term] for term in terms if term in measured.failures)


def scores_of(measured: Sequence[Measured], scorer: str) -> Vector:
    """Return scores of shape (n,), from terms averaged over the repeats; NaN where failed."""
    sound = _sound(measured, scorer)
    scores = np.full(len(measured), np.nan)
    scores[sound] = _by_repeat(_where(sound, measured), scorer).mean
    return scores


def _sound(measured: Sequence[Measured], scorer: str) -> NDArray[np.bool_]:
    """Return a mask of shape (n,): whether all terms of the scorer were measured."""
    needed = set(find_scorer(scorer).terms)
    return np.array([needed <= set(row.terms) for row in measured])


def _where(chosen: NDArray[np.bool_], measured: Sequence[Measured]) -> list[Measured]:
    return [item for item, good in zip(measured, chosen, strict=True) if good]


@dataclass(frozen=True)
class _Scores:
    """Scores from the terms' means over the repeats, and from the terms of each repeat."""

    mean: Vector
    each: Sequence[Vector]


def _by_repeat(measured: Sequence[Measured], scorer: str) -> _Scores:
    found_scorer = find_scorer(scorer)
    if not measured:
        return _Scores(np.empty(0), [])
    terms = {name: np.array([row.terms[name] for row in measured]) for name in found_scorer.terms}
    count = len(measured)
    repeats = next(iter(terms.values())).shape[1]
    mean = {name: values.mean(axis=1) for name, values in terms.items()}
    return _Scores(
        found_scorer.formula.scores(mean, reference=count),
        [
            found_scorer.formula.scores({n: v[:, r] for n, v in terms.items()}, reference=count)
            for r in range(repeats)
        ],
    )
