"""What short trainings of a few candidates say about full trainings of all."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.stats import rankdata

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

SHARED_ERROR = 0.3
"""Share of the error of short trainings that similar candidates have in common."""


@dataclass(frozen=True)
class Assumption:
    """What full trainings have in common with what is known before them.

    Attributes:
        score: correlation of full results with the score.
        short: correlation of full results with short ones.
        shared: share of what the score leaves open that similar candidates have in common.
        odds: how likely that is before there are results, over the others.
    """

    score: float
    short: float
    shared: float
    odds: int


ASSUMPTIONS = tuple(
    Assumption(score, short, shared, 1 if score == 0.3 else 4)
    for score, short, shared in product((0.3, 0.85, 0.97), (0.2, 0.6, 0.9), (0.4, 0.9))
)
"""Results say which of them are likely."""


@dataclass(frozen=True)
class _Estimate:
    """Mean and variance of all full results under one assumption, and how likely it is.

    Attributes:
        mean: of each candidate (N,), in standard deviations over all.
        variance: of each (N,).
        evidence: log marginal likelihood of the results.
    """

    mean: Vector
    variance: Vector
    evidence: float


class Posterior:
    """A Gaussian process over what full trainings give, with the score as its prior mean.

    Full results are f = ρ s + r, with s the standardized rank by score and r of variance 1 - ρ²;
    short ones are a + c (λ f + e), with e of variance 1 - λ². A share of r and e is common to
    candidates of similar features (Matérn kernel, ν = 5/2). Offset a and scale c are estimated by
    maximum likelihood, and the estimates under all `ASSUMPTIONS` are averaged by their marginal
    likelihood: short results that contradict the score count little, and those that agree with it
    say that both can be trusted. Source: Rasmussen and Williams, "Gaussian Processes for Machine
    Learning", 2006, chapters 2 and 5; the errors of short trainings as in Kennedy and O'Hagan,
    Biometrika 87, 2000.

    Args:
        features: of all candidates (N, D), scaled so that a squared distance is about 2.
        scores: of all candidates (N,); higher is better.
    """

    def __init__(self, features: Matrix, scores: Vector) -> None:
        self._features = features
        # Uniform, not normal: the upper end of a score hardly ranks, so it must not stick out.
        self._prior = ((rankdata(scores) - 0.5) / len(scores) - 0.5) * np.sqrt(12)

    def __call__(
        self, results: Mapping[int, float], pending: Sequence[int] = ()
    ) -> tuple[Vector, Vector]:
        """Return mean and standard deviation of the full results of all candidates (N,).

        Args:
            results: of short trainings, by place; at least two. Where all are equal, they say
                nothing.
            pending: places whose short results are awaited: they reduce the deviation alone.
        """
        if np.ptp([*results.values()]) == 0:
            return self._prior.copy(), np.ones_like(self._prior)
        collected = list(self._estimates(results, pending))
        evidence = np.array([item.evidence for item in collected])
        weights = np.exp(evidence - evidence.max())
        weights /= weights.sum()
        means = np.array([item.mean for item in collected])
        mean = weights @ means
        variance = weights @ (np.array([item.variance for item in collected]) + (means - mean) ** 2)
        return mean, np.sqrt(np.maximum(variance, 1e-12))

    def _estimates(
        self, results: Mapping[int, float], pending: Sequence[int]
    ) -> Iterator[_Estimate]:
        # imported here: commands that train nothing need not wait for it
        from sklearn.gaussian_process.kernels import Matern

        indices = np.array([*results, *pending])
        values = np.array([*results.values()])
        similar = Matern(nu=2.5)(self._features[indices], self._features)
        same = np.arange(len(self._features)) == indices[:, None]
        error = (SHARED_ERROR * similar + (1 - SHARED_ERROR) * same)[:, indices]
        for item in ASSUMPTIONS:
            left = 1 - item.score**2
            residual = item.shared * similar + (1 - item.shared) * same
            across = item.short * left * residual
            among = item.short * across[:, indices] + (1 - item.short**2) * error
            factor = np.linalg.cholesky(among)
            explained = solve_triangular(factor, across, lower=True)
            known = factor[: len(values), : len(values)]
            expected = item.short * item.score * self._prior[indices[: len(values)]]
            weights, evidence = _fitted(known, values, expected)
            mean = item.score * self._prior + weights @ explained[: len(values)]
            variance = left - (explained**2).sum(axis=0)
            yield _Estimate(mean, variance, evidence + math.log(item.odds))


def _fitted(factor: Matrix, values: Vector, expected: Vector) -> tuple[Vector, float]:
    """Return whitened residuals of values with their likeliest offset and scale, and the evidence.

    Args:
        factor: lower triangular, of the covariance of standardized results (n, n).
        values: results in their own units (n,).
        expected: standardized results that are expected (n,).
    """
    ones, value, mean = solve_triangular(
        factor, np.column_stack([np.ones_like(values), values, expected]), lower=True
    ).T
    ones_norm = np.linalg.norm(ones)
    unit = ones / ones_norm
    # The offset has a flat prior: what lies along it says nothing.
    value, mean = value - unit * (unit @ value), mean - unit * (unit @ mean)
    freedom = len(values) - 1
    # The scale c maximizes -(n - 1) ln c - |value / c - mean|² / 2.
    along, square = value @ mean, value @ value
    inverse = (along + np.sqrt(along**2 + 4 * freedom * square)) / (2 * square)
    residual = inverse * value - mean
    evidence = freedom * np.log(inverse) - residual @ residual / 2
    evidence -= np.log(np.diag(factor)).sum() + np.log(ones_norm)
    return residual, float(evidence)
