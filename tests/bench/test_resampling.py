"""Vectorized bootstrap correlations against scipy on one resample at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import kendalltau, pearsonr, spearmanr

from diswot.bench.resampling import MANY, RESAMPLES, RESAMPLES_OF_MANY, resampled


def one_by_one(
    x: NDArray[np.float64], y: NDArray[np.float64], seed: int, resamples: int
) -> NDArray[np.float64]:
    """Draw the same resamples and correlate them one by one; shape (resamples, 3)."""
    found = []
    for places in np.random.default_rng(seed).integers(len(x), size=(resamples, len(x))):
        a, b = x[places], y[places]
        if len(set(a)) > 1 and len(set(b)) > 1:
            found.append([float(f(a, b).statistic) for f in (kendalltau, spearmanr, pearsonr)])
    return np.array(found)


@pytest.mark.slow
@given(
    columns=st.integers(3, 40).flatmap(
        lambda n: st.tuples(
            *(st.lists(st.integers(0, 9), min_size=n, max_size=n) for _ in range(2))
        )
    ),
    seed=st.integers(0, 1000),
)
def test_correlations_of_resamples_equal_scipy(
    columns: tuple[list[int], list[int]], seed: int
) -> None:
    x, y = (np.array(column, dtype=float) for column in columns)
    if len(set(x)) == 1 or len(set(y)) == 1:
        return
    found = resampled(x, y, seed=seed, resamples=20)
    expected = one_by_one(x, y, seed, 20)
    for name, column in zip(("kendall", "spearman", "pearson"), expected.T, strict=True):
        np.testing.assert_allclose(getattr(found, name), column, atol=1e-9)


def test_correlations_of_large_resamples_equal_scipy() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000).round(2)
    y = (x + rng.normal(size=3000)).round(1)
    found = resampled(x, y, seed=1, resamples=4)
    expected = one_by_one(x, y, 1, 4)
    np.testing.assert_allclose(found.kendall, expected[:, 0], atol=1e-12)
    np.testing.assert_allclose(found.spearman, expected[:, 1], atol=1e-12)
    np.testing.assert_allclose(found.pearson, expected[:, 2], atol=1e-12)


def test_the_chunk_size_does_not_change_the_correlations() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 900))
    whole, first = resampled(x, y, seed=2, resamples=500), resampled(x, y, seed=2, resamples=20)
    np.testing.assert_array_equal(whole.kendall[:20], first.kendall)
    assert len(whole.kendall) == 500


def test_large_ground_truths_use_fewer_resamples() -> None:
    few, many = np.arange(10.0), np.arange(MANY + 1.0)
    assert len(resampled(few, few, seed=0).kendall) == RESAMPLES
    assert len(resampled(many, many, seed=0).kendall) == RESAMPLES_OF_MANY


def test_resamples_with_a_constant_column_are_left_out() -> None:
    x, y = np.zeros(10), np.arange(10.0)
    x[3] = 1
    found = resampled(x, y, seed=0)
    assert np.isfinite(found.kendall).all()
    assert len(found.kendall) / RESAMPLES == pytest.approx(1 - 0.9**10, abs=0.05)


@pytest.mark.slow
def test_the_interval_has_its_nominal_coverage() -> None:
    rng = np.random.default_rng(3)
    correlation, covered, trials = 0.7, 0, 200
    tau = 2 / np.pi * np.arcsin(correlation)  # of a bivariate normal distribution
    for seed in range(trials):
        x, noise = rng.normal(size=(2, 80))
        y = correlation * x + np.sqrt(1 - correlation**2) * noise
        found = resampled(x, y, seed=seed, resamples=300)
        low, high = np.quantile(found.kendall, [0.025, 0.975])
        covered += low <= tau <= high
    assert 0.9 <= covered / trials <= 0.99
