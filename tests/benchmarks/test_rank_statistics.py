"""Rank statistics against slow formulas and known cases."""

import itertools

import numpy as np
import pytest

from benchmarks.rank_statistics import kendall, kendall_interval, partial_kendall, spearman


def test_kendall_counts_pairs() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 30).astype(float), rng.integers(0, 5, 30).astype(float)
    pairs = list(itertools.combinations(range(30), 2))
    agree = sum(np.sign(x[i] - x[j]) * np.sign(y[i] - y[j]) for i, j in pairs)
    in_x = sum(x[i] != x[j] for i, j in pairs)
    in_y = sum(y[i] != y[j] for i, j in pairs)
    assert kendall(x, y) == pytest.approx(agree / np.sqrt(in_x * in_y))


def test_a_constant_column_is_refused_and_not_nan() -> None:
    with pytest.raises(ValueError, match="τ is undefined"):
        kendall(np.ones(5), np.arange(5.0))


def test_spearman_is_one_for_any_rising_function() -> None:
    x = np.linspace(0, 3, 20)
    assert spearman(x, np.exp(x)) == pytest.approx(1)


def test_the_interval_holds_the_estimate_and_narrows_with_more_data() -> None:
    rng = np.random.default_rng(1)

    def interval(count: int) -> tuple[float, float, float]:
        x = rng.normal(size=count)
        y = x + rng.normal(size=count)
        low, high = kendall_interval(x, y)
        assert low < kendall(x, y) < high
        return low, high, high - low

    assert interval(400)[2] < interval(40)[2]


def test_partial_kendall_removes_what_a_common_cause_explains() -> None:
    rng = np.random.default_rng(2)
    cause = rng.normal(size=500)
    x, y = cause + 0.3 * rng.normal(size=500), cause + 0.3 * rng.normal(size=500)
    assert kendall(x, y) > 0.6
    assert abs(partial_kendall(x, y, [cause])) < 0.4 * kendall(x, y)
