"""How well scores rank students, against measured accuracies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diswot.bench.measurement import Measured
from diswot.bench.rank_statistics import RankStatistics, Vector, kendall, rank_statistics
from diswot.errors import first_line
from diswot.scorers import find_scorer

BASELINES = ("params", "flops", "trainable_layers", "logrank(jacov,params)")
"""Scorers that are printed with whatever is asked for."""


@dataclass(frozen=True)
class Correlation:
    """One score on one target of one ground truth.

    Attributes:
        truth: the ground truth.
        target: the column of accuracies.
        scorer: name or expression.
        architectures: how many were to be ranked.
        failed: those without a score; all statistics are of the others.
        why: the commonest reason.
        repeats: initializations and batches that each score is the mean of.
        single_mean: mean τ-b of the repeats taken one by one.
        single_sd: standard deviation of these.
        statistics: how well it ranks; `None` where that is undefined.
        undefined: why, if so.
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
        """Sort key, better is larger."""
        return float("-inf") if self.statistics is None else self.statistics.kendall.value

    @property
    def baseline(self) -> bool:
        """Whether it is printed with whatever is asked for."""
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
    """Compare the ranking by `scorer` with that by `accuracies`.

    Args:
        measured: the architectures, with the scorer's terms.
        accuracies: theirs, in the same order.
        scorer: name or expression; combinations by rank are within the architectures.
        truth: for the record.
        target: for the record.
        seed: of the bootstrap.
    """
    sound = _sound(measured, scorer)
    failed = [_reason(each, scorer) for each in _where(~sound, measured)]
    by_repeat = _by_repeat(_where(sound, measured), scorer)
    params = np.array([float(each.params) for each in measured])[sound]
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
    """Return why a scorer has no score for an architecture."""
    terms = find_scorer(scorer).terms
    return next(measured.failures[term] for term in terms if term in measured.failures)


def scores_of(measured: Sequence[Measured], scorer: str) -> Vector:
    """Return each architecture's score, mean over the repeats; NaN where it has none."""
    sound = _sound(measured, scorer)
    scores = np.full(len(measured), np.nan)
    scores[sound] = _by_repeat(_where(sound, measured), scorer).mean
    return scores


def _sound(measured: Sequence[Measured], scorer: str) -> NDArray[np.bool_]:
    """Return who has all terms of a scorer."""
    needed = set(find_scorer(scorer).terms)
    return np.array([needed <= set(each.terms) for each in measured])


def _where(chosen: NDArray[np.bool_], measured: Sequence[Measured]) -> list[Measured]:
    return [each for each, good in zip(measured, chosen, strict=True) if good]


@dataclass(frozen=True)
class _Scores:
    """Scores by the mean of the terms over the repeats, and by each repeat's terms."""

    mean: Vector
    each: Sequence[Vector]


def _by_repeat(measured: Sequence[Measured], scorer: str) -> _Scores:
    found = find_scorer(scorer)
    if not measured:
        return _Scores(np.empty(0), [])
    terms = {name: np.array([each.terms[name] for each in measured]) for name in found.terms}
    count = len(measured)
    repeats = next(iter(terms.values())).shape[1]
    mean = {name: values.mean(axis=1) for name, values in terms.items()}
    return _Scores(
        found.formula.scores(mean, reference=count),
        [
            found.formula.scores({n: v[:, r] for n, v in terms.items()}, reference=count)
            for r in range(repeats)
        ],
    )
