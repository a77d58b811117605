"""What short trainings of a few candidates say about full trainings of all."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.stats import rankdata

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

_Estimate: TypeAlias = tuple[Vector, Vector, float]
"""Mean and variance of all full results (N,) under one assumption, and its log evidence."""

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


@dataclass(frozen=True, eq=False)
class Beliefs:
    """The posterior of all full results, in standard deviations over all candidates.

    Attributes:
        weights: posterior probability of each of A assumptions (A,).
        means: expected results of all candidates under each (A, N).
        variances: their variances (A, N).
        short: correlation of full results with short ones under each (A,).
    """

    weights: Vector
    means: Matrix
    variances: Matrix
    short: Vector

    @cached_property
    def mean(self) -> Vector:
        """Expected result of each candidate (N,)."""
        return np.asarray(self.weights @ self.means)

    @property
    def trust(self) -> float:
        """Expected correlation of full results with short ones."""
        return float(self.weights @ self.short)


class Posterior:
    """A Gaussian process over what full trainings give, with the score as its prior mean.

    Full results are f = ρ s + r, with s the standardized rank by score and r of variance 1 - ρ²;
    short ones are a + c (λ f + e), with e of variance 1 - λ². A share of r and e is common to
    candidates of similar features (Matérn kernel, ν = 5/2). Offset a and scale c are estimated by
    maximum likelihood, and the estimates under all assumptions are averaged by their marginal
    likelihood: short results that contradict the score count little, and those that agree with it
    say that both can be trusted. Source: Rasmussen and Williams, "Gaussian Processes for Machine
    Learning", 2006, chapters 2 and 5; the errors of short trainings as in Kennedy and O'Hagan,
    Biometrika 87, 2000.

    Args:
        features: of all candidates (N, D), scaled so that a squared distance is about 2.
        scores: of all candidates (N,); higher is better.
        assumptions: assumptions whose estimates are averaged.
        shared_error: share of the error of short trainings that similar candidates have in
            common.
    """

    def __init__(
        self,
        features: Matrix,
        scores: Vector,
        *,
        assumptions: Sequence[Assumption] = ASSUMPTIONS,
        shared_error: float = SHARED_ERROR,
    ) -> None:
        self._features, self._assumptions, self._shared = features, assumptions, shared_error
        # Uniform, not normal: the upper end of a score hardly ranks, so it must not stick out.
        self._prior = ((rankdata(scores) - 0.5) / len(scores) - 0.5) * np.sqrt(12)

    def __call__(self, results: Mapping[int, float]) -> Beliefs:
        """Return what is believed about the full results of all candidates.

        Args:
            results: of short trainings, by place. Fewer than two, and equal ones, say nothing.
        """
        if len({*results.values()}) < 2:
            found = [self._before(each) for each in self._assumptions]
        else:
            found = [*self._after(results)]
        means, variances, evidence = zip(*found, strict=True)
        likely = np.exp(np.array(evidence) - max(evidence))
        short = np.array([each.short for each in self._assumptions])
        return Beliefs(likely / likely.sum(), np.array(means), np.array(variances), short)

    def _before(self, each: Assumption) -> _Estimate:
        variance = np.full_like(self._prior, 1 - each.score**2)
        return each.score * self._prior, variance, math.log(each.odds)

    def _after(self, results: Mapping[int, float]) -> Iterator[_Estimate]:
        # imported here: commands that train nothing need not wait for it
        from sklearn.gaussian_process.kernels import Matern

        places, values = np.array([*results]), np.array([*results.values()])
        similar = Matern(nu=2.5)(self._features[places], self._features)
        same = np.arange(len(self._features)) == places[:, None]
        error = (self._shared * similar + (1 - self._shared) * same)[:, places]
        for each in self._assumptions:
            left = 1 - each.score**2
            residual = each.shared * similar + (1 - each.shared) * same
            across = each.short * left * residual
            among = each.short * across[:, places] + (1 - each.short**2) * error
            factor = np.linalg.cholesky(among)
            explained = solve_triangular(factor, across, lower=True)
            weights, evidence = _fitted(
                factor, values, each.short * each.score * self._prior[places]
            )
            mean = each.score * self._prior + weights @ explained
            variance = left - (explained**2).sum(axis=0)
            yield mean, variance, evidence + math.log(each.odds)


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
