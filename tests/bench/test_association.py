"""Correlations against straightforward formulas, and columns without a correlation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diswot.bench.association import (
    UndefinedStatisticError,
    Vector,
    kendall,
    partial_kendall,
    pearson,
    spearman,
)
from diswot.errors import DiswotError

COLUMNS = st.integers(3, 14).flatmap(
    lambda n: st.tuples(
        *(
            st.lists(st.integers(0, 4), min_size=n, max_size=n)
            .filter(lambda column: len(set(column)) > 1)
            .map(lambda column: np.array(column, dtype=float))
            for _ in range(3)
        )
    )
)


def tau_b(x: Vector, y: Vector) -> float:
    """Count pairs (Kendall 1945)."""
    agree = in_x = in_y = 0.0
    for i, j in itertools.combinations(range(len(x)), 2):
        agree += np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])
        in_x += x[i] != x[j]
        in_y += y[i] != y[j]
    return agree / math.sqrt(in_x * in_y)


def ranks(x: Vector) -> Vector:
    return np.array([sum(b < a for b in x) + (sum(b == a for b in x) + 1) / 2 for a in x])


def pearson_by_formula(x: Vector, y: Vector) -> float:
    dx, dy = x - sum(x) / len(x), y - sum(y) / len(y)
    return float(sum(dx * dy) / math.sqrt(sum(dx * dx) * sum(dy * dy)))


@given(COLUMNS)
def test_correlations_equal_the_formulas(columns: tuple[Vector, Vector, Vector]) -> None:
    x, y, _ = columns
    assert kendall(x, y) == pytest.approx(tau_b(x, y), abs=1e-12)
    assert spearman(x, y) == pytest.approx(pearson_by_formula(ranks(x), ranks(y)), abs=1e-12)
    assert pearson(x, y) == pytest.approx(pearson_by_formula(x, y), abs=1e-12)


@given(COLUMNS)
def test_partial_tau_equals_kendalls_formula(columns: tuple[Vector, Vector, Vector]) -> None:
    x, y, z = columns
    xy, xz, yz = tau_b(x, y), tau_b(x, z), tau_b(y, z)
    left = (1 - xz**2) * (1 - yz**2)
    if left < 1e-6:
        return
    assert partial_kendall(x, y, [z]) == pytest.approx((xy - xz * yz) / math.sqrt(left), abs=1e-9)


def test_a_duplicate_control_counts_once() -> None:
    x, y, z = np.random.default_rng(0).normal(size=(3, 30))
    assert partial_kendall(x, y, [z, z]) == pytest.approx(partial_kendall(x, y, [z]))


def test_partial_tau_is_undefined_if_a_control_equals_a_column() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 30))
    with pytest.raises(UndefinedStatisticError, match="decide a column"):
        partial_kendall(x, y, [np.exp(x)])


@pytest.mark.parametrize("statistic", [kendall, spearman, pearson])
def test_identical_ranks_give_1_and_reversed_ranks_minus_1(statistic: type) -> None:
    x = np.arange(12.0)
    assert statistic(x, x) == pytest.approx(1)
    assert statistic(x, -x) == pytest.approx(-1)


@pytest.mark.parametrize("statistic", [kendall, spearman, pearson])
@pytest.mark.parametrize(
    ("x", "why"),
    [
        ([1.0, 1.0, 1.0, 1.0], "x is constant"),
        ([1.0, np.nan, 2.0, 3.0], "x has nan in row 1"),
        ([1.0, np.inf, 2.0, 3.0], "x has inf in row 1"),
        ([1.0, 2.0, 3.0], "y of 4 values"),
    ],
)
def test_an_undefined_correlation_is_a_one_line_error(
    statistic: type, x: list[float], why: str
) -> None:
    with pytest.raises(ValueError, match="τ is undefined") as caught:
        statistic(np.array(x), np.arange(4.0))
    assert isinstance(caught.value, DiswotError)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_pearson_does_not_depend_on_the_scale(scale: float) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 20))
    assert pearson(scale * x, y) == pytest.approx(pearson(x, y))
