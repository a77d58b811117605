"""A ranking of all candidates from their scores and a few short trainings."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from diswot.search.few_shot._features import Matrix, Vector, normal_scores

FEWEST = 3
"""Results below which the score alone ranks."""

SCORE_WEIGHT = 1.0
"""Of the standardized score next to the standardized result of a short training: a short training
ranks networks by how fast they learn, and the score says what they can become."""

FIRST = 5
"""Trainings that are chosen by score and difference before results choose."""

BEST = 0.1
"""Share of the candidates that the first ones are chosen from."""

_OFFSET, _RESIDUAL, _NOISE = 25.0, 0.5, 0.09
"""Variances, in units of the standardized results: of their mean, of what the score does not
explain, and of a training."""


class Ranker:
    """A Gaussian process over what short trainings give, with the score as its prior mean.

    Args:
        features: of all candidates (N, D), scaled so that a squared distance is about 2.
        scores: of all candidates (N,); higher is better.

    Examples:
        >>> ranker = Ranker(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 3.0, 4.0]))
        >>> ranker.ranking({}).tolist()
        [3, 2, 1, 0]
        >>> ranker.ranking({3: 0.2, 2: 0.9, 1: 0.3}).tolist()[0]
        2
    """

    def __init__(self, features: Matrix, scores: Vector) -> None:
        self._features = features
        self._prior = normal_scores(scores)
        self._order = np.argsort(-scores, kind="stable")

    def __len__(self) -> int:
        return len(self._prior)

    def ranking(self, results: Mapping[int, float]) -> NDArray[np.int64]:
        """Return the places of all candidates, the most promising first.

        The first is the best of the short trainings; what follows is ordered by the posterior.
        With fewer than three results the score alone ranks.

        Args:
            results: of short trainings, by place; higher is better.
        """
        if len(results) < FEWEST:
            return self._order
        mean, _ = self._posterior(results)
        value = mean + SCORE_WEIGHT * self._prior
        value[max(results, key=lambda place: (results[place], value[place]))] = np.inf
        return np.lexsort((-self._prior, -value))

    def proposals(
        self, results: Mapping[int, float], count: int, *, tried: frozenset[int] = frozenset()
    ) -> list[int]:
        """Return the places of the `count` candidates to train next.

        The first are the best by score and others of the best tenth that differ most from them.
        Then each is the one of the highest expected improvement; a proposal counts as a result
        for those after it, with what is expected of it.

        Args:
            results: of short trainings, by place.
            count: fewer where none are left.
            tried: places that are not proposed: those in training, or whose training failed.
        """
        known, taken = dict(results), set(tried) | set(results)
        found: list[int] = []
        for _ in range(min(count, len(self) - len(taken))):
            if len(taken) < FIRST or len(known) < FEWEST:
                place = self._most_different(taken)
            else:
                place, known_as = self._most_improving(known, taken)
                known[place] = known_as
            found.append(place)
            taken.add(place)
        return found

    def _most_improving(self, known: Mapping[int, float], taken: set[int]) -> tuple[int, float]:
        """Return the place of the highest expected improvement, and what it is expected to give."""
        mean, deviation = self._posterior(known)
        value = mean + SCORE_WEIGHT * self._prior
        gain = (value - value[list(known)].max()) / deviation
        improvement = deviation * (gain * norm.cdf(gain) + norm.pdf(gain))
        improvement[list(taken)] = -np.inf
        place, values = int(improvement.argmax()), np.array([*known.values()])
        return place, float(values.mean() + mean[place] * _spread(values))

    def _most_different(self, taken: set[int]) -> int:
        """Return the best by score, or what is farthest from those taken in the best tenth."""
        pool = self._order[: max(round(BEST * len(self)), 4 * FIRST, len(taken) + 1)]
        left = [int(place) for place in pool if place not in taken]
        if not taken:
            return left[0]
        between = self._features[left][:, None] - self._features[sorted(taken)][None]
        return left[int((between**2).sum(axis=2).min(axis=1).argmax())]

    def _posterior(self, known: Mapping[int, float]) -> tuple[Vector, Vector]:
        """Return mean and deviation of the standardized results of all candidates."""
        # imported here: commands that train nothing need not wait for it
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern

        places, values = np.array([*known]), np.array([*known.values()])
        standard = (values - values.mean()) / _spread(values)
        kernel = ConstantKernel(_OFFSET) + ConstantKernel(_RESIDUAL) * Matern(1.0, nu=2.5)
        process = GaussianProcessRegressor(kernel, alpha=_NOISE, optimizer=None)
        process.fit(self._features[places], standard - self._prior[places])
        mean, deviation = process.predict(self._features, return_std=True)
        return mean + self._prior, np.maximum(deviation, 1e-9)


def _spread(values: Vector) -> float:
    """Return the standard deviation; 1 where all are equal."""
    return float(values.std()) or 1.0
