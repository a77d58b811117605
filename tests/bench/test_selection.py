"""Regret, NDCG and top correlations against formulas averaged over all ways to break ties."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from diswot.bench.association import spearman
from diswot.bench.selection import ndcg, regret, spearman_top

TIED = st.integers(3, 6).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
        st.lists(st.integers(50, 60), min_size=n, max_size=n).filter(lambda c: len(set(c)) > 1),
    )
)


def orders(scores: list[int]) -> list[tuple[int, ...]]:
    """Return all orders of the indices by descending score."""
    return [
        order
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]


@given(TIED, st.integers(1, 7))
def test_regret_is_the_mean_over_all_ways_to_break_ties(
    columns: tuple[list[int], list[int]], top: int
) -> None:
    scores, accuracies = columns
    expected = np.mean(
        [
            max(accuracies) - max(accuracies[place] for place in order[:top])
            for order in orders(scores)
        ]
    )
    found = regret(np.array(scores, dtype=float), np.array(accuracies, dtype=float), top=top)
    assert found == pytest.approx(expected, abs=1e-9)


@given(TIED)
def test_ndcg_equals_the_formula_averaged_over_ties(columns: tuple[list[int], list[int]]) -> None:
    scores, accuracies = columns
    if len(set(scores)) == 1:
        return
    low, high = min(accuracies), max(accuracies)
    relevance = [(accuracy - low) / (high - low) for accuracy in accuracies]

    def gain(order: tuple[int, ...]) -> float:
        return sum(relevance[p] / math.log2(1 + rank) for rank, p in enumerate(order, start=1))

    best = gain(tuple(sorted(range(len(scores)), key=lambda p: -relevance[p])))
    expected = np.mean([gain(order) for order in orders(scores)]) / best
    found = ndcg(np.array(scores, dtype=float), np.array(accuracies, dtype=float))
    assert found == pytest.approx(expected, abs=1e-9)


def test_regret_is_0_for_perfect_and_highest_for_reversed_ranks() -> None:
    accuracies = np.arange(40.0)
    assert regret(accuracies, accuracies, top=1) == 0
    assert regret(-accuracies, accuracies, top=1) == 39
    assert regret(-accuracies, accuracies, top=5) == 35
    assert ndcg(accuracies, accuracies) == pytest.approx(1)
    assert ndcg(-accuracies, accuracies) < ndcg(accuracies % 7, accuracies) < 1


def top_of(n: int, order: NDArray[np.float64]) -> float | None:
    accuracies = np.arange(float(n))
    scores = accuracies.copy()
    scores[-len(order) :] = order
    return spearman_top(scores, accuracies)


def test_the_top_is_the_best_tenth_rounded_up() -> None:
    reversed_top = np.array([4.0, 3.0, 2.0, 1.0])
    assert top_of(40, reversed_top) == pytest.approx(-1)
    assert top_of(31, reversed_top) == pytest.approx(-1)
    mixed = top_of(41, reversed_top)
    assert mixed == pytest.approx(spearman(np.array([36.0, 4, 3, 2, 1]), np.arange(5.0)))


def test_the_top_includes_ties_with_its_last_member() -> None:
    accuracies = np.array([1.0] * 20 + [5.0] * 5 + [6.0] * 5)
    scores = np.arange(30.0)
    inside = np.arange(25, 30)
    assert spearman_top(scores, accuracies) is None  # all of the top have one accuracy
    accuracies[29] = 7.0
    assert spearman_top(scores, accuracies) == spearman(scores[inside], accuracies[inside])


@pytest.mark.parametrize("n", [10, 20])
def test_a_top_of_fewer_than_three_has_no_correlation(n: int) -> None:
    assert spearman_top(np.arange(float(n)), np.arange(float(n))) is None


def test_a_top_of_equal_scores_has_no_correlation() -> None:
    assert spearman_top(np.minimum(np.arange(40.0), 30), np.arange(40.0)) is None
