"""The posterior of full trainings given short ones."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import rankdata
from sklearn.gaussian_process.kernels import Matern

from diswot.bench.rank_statistics import kendall
from diswot.search.few_shot import Posterior
from diswot.search.few_shot import _posterior as module

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(60, 3)) / np.sqrt(3)
SCORES = RNG.normal(size=60)
TRUE = 0.9 * SCORES + np.sqrt(1 - 0.81) * RNG.normal(size=60)
PLACES = [int(place) for place in np.argsort(-SCORES)[:40:4]]


def results(values: np.ndarray) -> dict[int, float]:
    return {place: float(values[place]) for place in PLACES}


def direct(known: dict[int, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Condition the normal distribution of all values directly, under all assumptions."""
    kernel, prior = Matern(nu=2.5)(FEATURES), np.sqrt(12) * ((rankdata(SCORES) - 0.5) / 60 - 0.5)
    found = [conditioned(each, kernel, prior, known) for each in module.ASSUMPTIONS]
    means, variances, evidences = (np.array(column) for column in zip(*found, strict=True))
    weights = np.exp(evidences - evidences.max())
    weights /= weights.sum()
    return weights, means, variances


def conditioned(
    each: module.Assumption,
    kernel: np.ndarray,
    prior: np.ndarray,
    known: dict[int, float],
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return mean, variance and evidence under one assumption."""
    rho, lam, shared, open_ = each.score, each.short, each.shared, 1 - each.score**2
    here, values = [*known], np.array([*known.values()])
    full = open_ * (shared * kernel + (1 - shared) * np.eye(60))
    error = module.SHARED_ERROR * kernel + (1 - module.SHARED_ERROR) * np.eye(60)
    short = lam**2 * full + (1 - lam**2) * error
    precision, ones = np.linalg.inv(short[np.ix_(here, here)]), np.ones(len(values))

    def rest(log: float) -> np.ndarray:
        left: np.ndarray = values / np.exp(log) - lam * rho * prior[here]
        centered: np.ndarray = left - (ones @ precision @ left) / (ones @ precision @ ones)
        return centered

    def loss(log: float) -> float:
        return float((len(values) - 1) * log + rest(log) @ precision @ rest(log) / 2)

    log = minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-10}).x
    mean = rho * prior + lam * full[:, here] @ precision @ rest(log)
    across = lam * full[:, here]
    gain = np.einsum("ni,ij,nj->n", across, precision, across)
    volume = np.linalg.slogdet(short[np.ix_(here, here)])[1] + np.log(ones @ precision @ ones)
    return mean, np.diag(full) - gain, -loss(log) - volume / 2 + np.log(each.odds)


def test_the_posterior_equals_direct_conditioning() -> None:
    known = results(TRUE + 0.3 * RNG.normal(size=60))
    beliefs = Posterior(FEATURES, SCORES)(known)
    weights, means, variances = direct(known)
    np.testing.assert_allclose(beliefs.weights, weights, atol=1e-5)
    np.testing.assert_allclose(beliefs.means, means, atol=1e-5)
    np.testing.assert_allclose(beliefs.variances, variances, atol=1e-5)
    np.testing.assert_allclose(beliefs.mean, weights @ means, atol=1e-5)


def test_the_unit_of_the_results_does_not_matter() -> None:
    found = Posterior(FEATURES, SCORES)(results(TRUE))
    again = Posterior(FEATURES, SCORES)(results(70 + 1e-3 * TRUE))
    np.testing.assert_allclose(found.mean, again.mean, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.variances, again.variances, rtol=1e-6, atol=1e-9)


def test_results_that_agree_with_the_score_preserve_its_order() -> None:
    beliefs = Posterior(FEATURES, SCORES)(results(SCORES))
    assert kendall(beliefs.mean, SCORES) > 0.95


def test_unrelated_results_leave_the_ranking_to_the_score() -> None:
    taus = []
    for seed in range(10):
        noise = np.random.default_rng(seed).normal(size=60)
        mean = Posterior(FEATURES, SCORES)(results(noise)).mean
        taus.append(kendall(mean, TRUE) - kendall(SCORES, TRUE))
    assert np.mean(taus) > -0.05


def test_short_results_that_follow_the_score_are_trusted_more() -> None:
    posterior = Posterior(FEATURES, SCORES)
    noise = np.random.default_rng(1).normal(size=60)
    trusts = [posterior(results(values)).trust for values in (-SCORES, noise, SCORES)]
    assert trusts[0] < trusts[2]
    assert trusts[1] < trusts[2]


@pytest.mark.parametrize("known", [{}, {3: 0.2}, dict.fromkeys(PLACES, 0.5)])
def test_too_few_or_equal_results_leave_the_score(known: dict[int, float]) -> None:
    beliefs = Posterior(FEATURES, SCORES)(known)
    assert kendall(beliefs.mean, SCORES) == 1
    assert np.ptp(beliefs.variances, axis=1).max() == 0


def test_the_assumptions_are_all_combinations_once() -> None:
    pairs = [(each.score, each.short, each.shared) for each in module.ASSUMPTIONS]
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == set(product(*(sorted(set(column)) for column in zip(*pairs, strict=True))))
