"""All rank statistics of one score."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diswot.bench.rank_statistics import (
    Estimate,
    RankStatistics,
    UndefinedStatisticError,
    Vector,
    kendall,
    kendall_interval,
    ndcg,
    partial_kendall,
    pearson,
    rank_statistics,
    regret,
    spearman,
    spearman_top,
)


def columns(n: int, seed: int = 0) -> tuple[Vector, Vector, Vector]:
    """Return scores, accuracies and parameter counts that are correlated."""
    rng = np.random.default_rng(seed)
    params = rng.normal(size=n)
    return params + rng.normal(size=n), 60 + params + rng.normal(size=n), params


def test_every_statistic_equals_its_own_function() -> None:
    scores, accuracies, params = columns(60)
    found = rank_statistics(scores, accuracies, params=params, seed=5)
    assert found.n == 60
    assert found.kendall.value == kendall(scores, accuracies)
    assert found.spearman.value == spearman(scores, accuracies)
    assert found.pearson.value == pearson(scores, accuracies)
    assert (found.kendall.low, found.kendall.high) == kendall_interval(scores, accuracies, seed=5)
    assert found.spearman_top == spearman_top(scores, accuracies)
    assert (found.regret_1, found.regret_5, found.regret_10) == tuple(
        regret(scores, accuracies, top=top) for top in (1, 5, 10)
    )
    assert found.ndcg == ndcg(scores, accuracies)
    assert found.partial == partial_kendall(scores, accuracies, [params])
    above = found.above_params
    assert above is not None
    expected = kendall(scores, accuracies) - kendall(params, accuracies)
    assert above.value == pytest.approx(expected)
    assert above.low < above.value < above.high


def test_above_params_of_the_parameter_count_is_zero() -> None:
    _, accuracies, params = columns(30)
    found = rank_statistics(params, accuracies, params=params)
    assert found.above_params == Estimate(0.0, 0.0, 0.0)
    constant = rank_statistics(accuracies, params, params=np.ones(30))
    assert constant.above_params is None


def test_equal_seeds_give_equal_statistics() -> None:
    scores, accuracies, params = columns(40)

    def of(seed: int) -> RankStatistics:
        return rank_statistics(scores, accuracies, params=params, seed=seed)

    assert of(0) == of(0)
    assert of(0).kendall.low != of(1).kendall.low
    assert of(0).kendall.value == of(1).kendall.value


def test_perfect_and_reversed_rankings() -> None:
    scores, _, params = columns(30)
    perfect = rank_statistics(scores, np.exp(scores), params=params)
    assert astuple(perfect.kendall) == pytest.approx((1, 1, 1))
    assert perfect.regret_1 == 0
    assert perfect.spearman_top == pytest.approx(1)
    reverse = rank_statistics(-scores, np.exp(scores), params=params)
    assert astuple(reverse.kendall) == pytest.approx((-1, -1, -1))
    assert astuple(reverse.spearman) == pytest.approx((-1, -1, -1))


def test_partial_tau_exists_for_scores_but_not_for_params() -> None:
    scores, accuracies, params = columns(30)
    assert rank_statistics(params, accuracies, params=params).partial is None
    assert rank_statistics(np.exp(params), accuracies, params=params).partial is None
    assert rank_statistics(scores, accuracies, params=np.ones(30)).partial is None
    assert rank_statistics(scores, accuracies, params=params).partial is not None


def test_partial_kendall_removes_the_effect_of_a_common_cause() -> None:
    rng = np.random.default_rng(2)
    cause = rng.normal(size=500)
    x, y = cause + 0.3 * rng.normal(size=500), cause + 0.3 * rng.normal(size=500)
    assert kendall(x, y) > 0.6
    assert abs(partial_kendall(x, y, [cause])) < 0.4 * kendall(x, y)


def test_the_interval_contains_the_estimate_and_shrinks_with_n() -> None:
    def interval(count: int) -> float:
        scores, accuracies, _ = columns(count, seed=1)
        low, high = kendall_interval(scores, accuracies)
        assert low < kendall(scores, accuracies) < high
        return high - low

    assert interval(400) < interval(40)


@pytest.mark.parametrize("bad", ["scores", "accuracies"])
def test_the_error_names_a_constant_column(bad: str) -> None:
    scores, accuracies = np.arange(12.0), np.arange(12.0)
    (scores if bad == "scores" else accuracies).fill(1.0)
    with pytest.raises(UndefinedStatisticError, match=f"τ is undefined because {bad} is constant"):
        rank_statistics(scores, accuracies, params=np.arange(12.0))


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_architectures_are_refused(n: int) -> None:
    with pytest.raises(UndefinedStatisticError, match="3 rows or more"):
        rank_statistics(np.arange(float(n)), np.arange(float(n)), params=np.arange(float(n)))


def test_parameters_that_are_not_finite_are_refused() -> None:
    scores, accuracies, params = columns(12)
    params[4] = np.nan
    with pytest.raises(UndefinedStatisticError, match="params has nan in row 4"):
        rank_statistics(scores, accuracies, params=params)


NUMBERS = st.one_of(st.integers(-3, 3).map(float), st.floats(allow_nan=False, allow_infinity=False))


@pytest.mark.slow
@given(
    st.integers(3, 30).flatmap(
        lambda n: st.tuples(
            st.lists(NUMBERS, min_size=n, max_size=n),
            st.lists(st.floats(0, 100), min_size=n, max_size=n),
            st.lists(st.integers(1, 5), min_size=n, max_size=n),
        )
    )
)
def test_statistics_are_finite_or_an_error_is_raised(
    drawn: tuple[list[float], list[float], list[int]],
) -> None:
    scores, accuracies, params = (np.array(each, dtype=float) for each in drawn)
    try:
        found = rank_statistics(scores, accuracies, params=params)
    except UndefinedStatisticError:
        assert len(set(scores)) == 1 or len(set(accuracies)) == 1
        return
    for estimate in (found.kendall, found.spearman, found.pearson):
        assert -1 <= estimate.low <= estimate.high <= 1
        assert -1.0000001 <= estimate.value <= 1.0000001
    rest = (found.spearman_top, found.partial, found.ndcg)
    assert all(each is None or -1.0000001 <= each <= 1.0000001 for each in rest)
    spread = accuracies.max() - accuracies.min()
    assert spread >= found.regret_1 >= found.regret_5 - 1e-9
    assert found.regret_5 >= found.regret_10 - 1e-9 >= -1e-9
    assert all(np.isfinite(value) for value in astuple(found.kendall))
