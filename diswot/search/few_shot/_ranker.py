"""Rank all candidates from their scores and the results of a few short trainings."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from diswot.search.few_shot._posterior import Matrix, Posterior, Vector

FEWEST = 3
"""Number of results below which candidates are ranked by score alone."""

FIRST = 5
"""Number of trainings chosen by score and diversity before expected improvement is used."""

BEST = 0.1
"""Fraction of the candidates, by score, from which the first trainings are chosen."""


class Ranker:
    """Ranks candidates by their score, and by what short trainings of some of them say.

    Args:
        features: features of all candidates (N, D), scaled so that the mean squared distance
            between two is about 2.
        scores: scores of all candidates (N,); higher is better.

    Examples:
        >>> ranker = Ranker(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 3.0, 4.0]))
        >>> ranker.ranking({}).tolist()
        [3, 2, 1, 0]
        >>> ranker.ranking({3: 0.2, 2: 0.9, 1: 0.3}).tolist()[0]
        2
    """

    def __init__(self, features: Matrix, scores: Vector) -> None:
        self._features = features
        self._posterior = Posterior(features, scores)
        self._scores = scores
        self._order = np.argsort(-scores, kind="stable")

    def __len__(self) -> int:
        return len(self._scores)

    def ranking(self, results: Mapping[int, float]) -> NDArray[np.int64]:
        """Return the places of all candidates (N,), the most promising first.

        The first is the best of the short trainings; the others are ordered by their expected
        full results. With fewer than three results the score alone ranks.

        Args:
            results: results of short trainings by index; higher is better.
        """
        if len(results) < FEWEST:
            return self._order
        mean, _ = self._posterior(results)
        mean[max(results, key=lambda index: (results[index], mean[index]))] = np.inf
        return np.lexsort((-self._scores, -mean))

    def proposals(
        self, results: Mapping[int, float], count: int, *, tried: frozenset[int] = frozenset()
    ) -> list[int]:
        """Return the indices of the `count` candidates to train next.

        The first are the best by score and others of the best tenth that differ most from them.
        Then each is the one of the highest expected improvement over those that were trained; for
        the proposals after it, it counts as one whose result is awaited.

        Args:
            results: results of short trainings by index.
            count: number of candidates; fewer are returned if not enough are left.
            tried: indices that are not proposed, for example because their training failed.
        """
        taken, result = set(tried) | set(results), list[int]()
        for _ in range(min(count, len(self) - len(taken))):
            if len(taken) < FIRST or len(results) < FEWEST:
                place = self._most_different(taken)
            else:
                place = self._most_improving(results, result, taken)
            result.append(place)
            taken.add(place)
        return result

    def _most_improving(
        self, results: Mapping[int, float], pending: list[int], used: set[int]
    ) -> int:
        """Return the place of the highest expected improvement."""
        mean, deviation = self._posterior(results, pending)
        gain = (mean - mean[list(results)].max()) / deviation
        improvement = deviation * (gain * norm.cdf(gain) + norm.pdf(gain))
        improvement[list(used)] = -np.inf
        return int(improvement.argmax())

    def _most_different(self, used: set[int]) -> int:
        """Return the best by score, or of the best tenth the farthest from those taken."""
        pool = self._order[: max(round(BEST * len(self)), 4 * FIRST, len(used) + 1)]
        left = [int(index) for index in pool if index not in used]
        if not used:
            return left[0]
        between = self._features[left][:, None] - self._features[sorted(used)][None]
        return left[int((between**2).sum(axis=2).min(axis=1).argmax())]
