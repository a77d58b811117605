"""Rank all candidates from their scores and the results of a few short trainings."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from diswot.search.few_shot._features import Matrix, Vector, normal_scores

FEWEST = 3
"""Number of results below which candidates are ranked by score alone."""

SCORE_WEIGHT = 1.0
"""Weight of the standardized score, added to the predicted standardized result: short trainings
favor networks that learn fast, the score those that end well."""

FIRST = 5
"""Number of trainings chosen by score and diversity before expected improvement is used."""

BEST = 0.1
"""Fraction of the candidates, by score, from which the first trainings are chosen."""

_OFFSET, _RESIDUAL, _NOISE = 25.0, 0.5, 0.09
"""Variances of the Gaussian process, for standardized results: of their mean, of what the score
does not explain, and of the noise of one training."""


class Ranker:
    """A Gaussian process over the results of short trainings, with the score as prior mean.

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
        self._prior = normal_scores(scores)
        self._order = np.argsort(-scores, kind="stable")

    def __len__(self) -> int:
        return len(self._prior)

    def ranking(self, results: Mapping[int, float]) -> NDArray[np.int64]:
        """Return the indices of all candidates (N,), most promising first.

        The first is the best of the short trainings; the others are ordered by posterior mean
        plus score. With fewer than three results, all are ordered by score.

        Args:
            results: results of short trainings by index; higher is better.
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
        """Return the indices of the `count` candidates to train next.

        The first trainings are the best by score, then those of the best tenth that differ most
        from the chosen ones. Later ones maximize the expected improvement; within one call, a
        proposal counts for the next ones as a result with its predicted value.

        Args:
            results: results of short trainings by index.
            count: number of candidates; fewer are returned if not enough are left.
            tried: indices that are not proposed, for example because their training failed.
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
        """Return the index of the highest expected improvement, and its predicted result."""
        mean, deviation = self._posterior(known)
        value = mean + SCORE_WEIGHT * self._prior
        # Expected improvement over the best trained one: σ (z Φ(z) + φ(z)), z = Δ / σ.
        gain = (value - value[list(known)].max()) / deviation
        improvement = deviation * (gain * norm.cdf(gain) + norm.pdf(gain))
        improvement[list(taken)] = -np.inf
        place, values = int(improvement.argmax()), np.array([*known.values()])
        return place, float(values.mean() + mean[place] * _spread(values))

    def _most_different(self, taken: set[int]) -> int:
        """Return the best by score, or of the best tenth the farthest from those taken."""
        pool = self._order[: max(round(BEST * len(self)), 4 * FIRST, len(taken) + 1)]
        left = [int(place) for place in pool if place not in taken]
        if not taken:
            return left[0]
        between = self._features[left][:, None] - self._features[sorted(taken)][None]
        return left[int((between**2).sum(axis=2).min(axis=1).argmax())]

    def _posterior(self, known: Mapping[int, float]) -> tuple[Vector, Vector]:
        """Return mean and deviation (N,) of the predicted standardized results."""
        # Imported here to keep commands that train nothing fast to start.
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern

        places, values = np.array([*known]), np.array([*known.values()])
        # The process models what the prior (the normal score) does not explain.
        standard = (values - values.mean()) / _spread(values)
        kernel = ConstantKernel(_OFFSET) + ConstantKernel(_RESIDUAL) * Matern(1.0, nu=2.5)
        process = GaussianProcessRegressor(kernel, alpha=_NOISE, optimizer=None)
        process.fit(self._features[places], standard - self._prior[places])
        mean, deviation = process.predict(self._features, return_std=True)
        return mean + self._prior, np.maximum(deviation, 1e-9)


def _spread(values: Vector) -> float:
    """Return the standard deviation, or 1 if all values are equal."""
    return float(values.std()) or 1.0
