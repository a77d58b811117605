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


def direct(known: dict[int, float], pending: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Condition the joint normal distribution directly, and average over the assumptions."""
    kernel, prior = Matern(nu=2.5)(FEATURES), np.sqrt(12) * ((rankdata(SCORES) - 0.5) / 60 - 0.5)
    found = [conditioned(each, kernel, prior, known, pending) for each in module.ASSUMPTIONS]
    means, variances, evidences = (np.array(column) for column in zip(*found, strict=True))
    weights = np.exp(evidences - evidences.max())
    weights /= weights.sum()
    mean = weights @ means
    return mean, np.sqrt(weights @ (variances + (means - mean) ** 2))


def conditioned(
    each: module.Assumption,
    kernel: np.ndarray,
    prior: np.ndarray,
    known: dict[int, float],
    pending: list[int],
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
    both, across = [*here, *pending], lam * full[:, [*here, *pending]]
    gain = np.einsum("ni,ij,nj->n", across, np.linalg.inv(short[np.ix_(both, both)]), across)
    volume = np.linalg.slogdet(short[np.ix_(here, here)])[1] + np.log(ones @ precision @ ones)
    return mean, np.diag(full) - gain, -loss(log) - volume / 2 + np.log(each.odds)


@pytest.mark.parametrize("pending", [[], [3, 17]])
def test_the_posterior_equals_direct_conditioning(pending: list[int]) -> None:
    known = results(TRUE + 0.3 * RNG.normal(size=60))
    mean, deviation = Posterior(FEATURES, SCORES)(known, pending)
    expected, spread = direct(known, pending)
    np.testing.assert_allclose(mean, expected, atol=1e-5)
    np.testing.assert_allclose(deviation, spread, atol=1e-5)


def test_the_unit_of_the_results_does_not_matter() -> None:
    found = Posterior(FEATURES, SCORES)(results(TRUE))
    again = Posterior(FEATURES, SCORES)(results(70 + 1e-3 * TRUE))
    np.testing.assert_allclose(found, again, rtol=1e-6, atol=1e-9)


def test_pending_results_reduce_deviations_but_not_means() -> None:
    posterior = Posterior(FEATURES, SCORES)
    mean, deviation = posterior(results(TRUE))
    same, narrower = posterior(results(TRUE), [5])
    np.testing.assert_allclose(mean, same)
    assert (narrower <= deviation + 1e-12).all()
    assert narrower[5] < deviation[5]


def test_results_that_agree_with_the_score_preserve_its_order() -> None:
    mean, _ = Posterior(FEATURES, SCORES)(results(SCORES))
    assert kendall(mean, SCORES) > 0.95


def test_unrelated_results_leave_the_ranking_to_the_score() -> None:
    taus = []
    for seed in range(10):
        noise = np.random.default_rng(seed).normal(size=60)
        mean, _ = Posterior(FEATURES, SCORES)(results(noise))
        taus.append(kendall(mean, TRUE) - kendall(SCORES, TRUE))
    assert np.mean(taus) > -0.05


def test_equal_results_leave_the_ranking_to_the_score() -> None:
    mean, deviation = Posterior(FEATURES, SCORES)(dict.fromkeys(PLACES, 0.5))
    assert kendall(mean, SCORES) == 1
    assert (deviation == 1).all()


def test_the_assumptions_are_all_combinations_once() -> None:
    pairs = [(each.score, each.short, each.shared) for each in module.ASSUMPTIONS]
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == set(product(*(sorted(set(column)) for column in zip(*pairs, strict=True))))
