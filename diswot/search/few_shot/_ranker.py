"""Rank all candidates from their scores and the results of a few short trainings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from diswot.search.few_shot._division import worthwhile
from diswot.search.few_shot._posterior import (
    ASSUMPTIONS,
    SHARED_ERROR,
    Assumption,
    Beliefs,
    Matrix,
    Posterior,
    Vector,
)

FEWEST = 3
"""Number of results below which candidates are ranked by score alone."""

CACHED = 32
"""Number of sets of results for which the posterior is cached."""


@dataclass(frozen=True)
class RankerSettings:
    """Numbers that a ranker depends on.

    Attributes:
        first: number of trainings chosen by score and diversity before the posterior chooses.
        best: fraction of the candidates, by score, from which the first trainings are chosen.
        trusted: expected correlation of short and full results from which the best short one
            ranks first.
        shared_error: see `Posterior`.
        assumptions: see `Posterior`.
    """

    first: int = 5
    best: float = 0.1
    trusted: float = 0.6
    shared_error: float = SHARED_ERROR
    assumptions: tuple[Assumption, ...] = ASSUMPTIONS


_DEFAULT = RankerSettings()


class Ranker:
    """Ranks candidates by their score, and by what short trainings of some of them say.

    Args:
        features: features of all candidates (N, D), scaled so that the mean squared distance
            between two is about 2.
        scores: scores of all candidates (N,); higher is better.
        settings: the settings, which were selected by `benchmarks.ranker_settings`.

    Examples:
        >>> ranker = Ranker(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 3.0, 4.0]))
        >>> ranker.ranking({}).tolist()
        [3, 2, 1, 0]
        >>> ranker.ranking({3: 0.8, 2: 0.9, 1: 0.3}).tolist()[0]
        2
    """

    def __init__(
        self, features: Matrix, scores: Vector, *, settings: RankerSettings = _DEFAULT
    ) -> None:
        self._features, self._settings = features, settings
        assumptions, shared = settings.assumptions, settings.shared_error
        posterior = Posterior(features, scores, assumptions=assumptions, shared_error=shared)
        self._cached = lru_cache(CACHED)(lambda results: posterior(dict(results)))
        self._scores = scores
        self._order = np.argsort(-scores, kind="stable")

    def __len__(self) -> int:
        return len(self._scores)

    def _beliefs(self, results: Mapping[int, float]) -> Beliefs:
        return self._cached(tuple(results.items()))

    def ranking(self, results: Mapping[int, float]) -> NDArray[np.int64]:
        """Return the places of all candidates (N,), the most promising first.

        They are ordered by their expected full results. If short results are expected to
        correlate with full ones by at least 0.6, the best of the short trainings comes first.
        With fewer than three results the score alone ranks.

        Args:
            results: results of short trainings by index; higher is better.
        """
        if len(results) < FEWEST:
            return self._order
        beliefs = self._beliefs(results)
        mean = beliefs.mean.copy()
        if beliefs.trust >= self._settings.trusted:
            mean[max(results, key=lambda place: (results[place], mean[place]))] = np.inf
        return np.lexsort((-self._scores, -mean))

    def worthwhile(
        self, results: Mapping[int, float], most: int, full: Callable[[int], int]
    ) -> int:
        """Return how many further short trainings are worth their cost in full ones.

        Args:
            results: results of short trainings by index.
            most: the highest number of further short trainings.
            full: number of full trainings that are left after a number of further short ones.
        """
        return worthwhile(self._beliefs(results), results, most, full)

    def proposals(
        self, results: Mapping[int, float], count: int, *, tried: frozenset[int] = frozenset()
    ) -> list[int]:
        """Return the indices of the `count` candidates to train next.

        The first are the best by score and others of the best tenth that differ most from them.
        Then they are those with the highest expected full results.

        Args:
            results: results of short trainings by index.
            count: number of candidates; fewer are returned if not enough are left.
            tried: indices that are not proposed, for example because their training failed.
        """
        taken, found = set(tried) | set(results), list[int]()
        count = min(count, len(self) - len(taken))
        while len(found) < count and (len(taken) < self._settings.first or len(results) < FEWEST):
            found.append(self._most_different(taken))
            taken.add(found[-1])
        if len(found) < count:
            best = np.argsort(-self._beliefs(results).mean, kind="stable")
            found += [int(place) for place in best if place not in taken][: count - len(found)]
        return found

    def _most_different(self, taken: set[int]) -> int:
        """Return the best by score, or of the best tenth the farthest from those taken."""
        first, best = self._settings.first, round(self._settings.best * len(self))
        pool = self._order[: max(best, 4 * first, len(taken) + 1)]
        left = [int(place) for place in pool if place not in taken]
        if not taken:
            return left[0]
        between = self._features[left][:, None] - self._features[sorted(taken)][None]
        return left[int((between**2).sum(axis=2).min(axis=1).argmax())]
