"""Average precision agrees with scikit-learn, and its influences with its derivatives."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from diswot.tasks._average_precision import average_precision

RNG = np.random.default_rng(0)


def example(count: int = 60, *, ties: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    scores = RNG.normal(size=count)
    positive = RNG.random(count) < 1 / (1 + np.exp(-2 * scores))
    return (scores.round(0) if ties else scores), positive


def weighted(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float64]
) -> float:
    """Return the average precision with example weights, term by term."""
    total = 0.0
    for score, label, weight in zip(scores, positive, weights, strict=True):
        above = weights * (scores >= score)
        total += weight * label * (above * positive).sum() / above.sum()
    return float(total / (weights * positive).sum())


@pytest.mark.parametrize("ties", [False, True])
def test_values_agree_with_scikit_learn(ties: bool) -> None:
    for _ in range(5):
        scores, positive = example(ties=ties)
        expected = average_precision_score(positive, scores)
        assert average_precision(scores, positive).value == pytest.approx(expected)


@pytest.mark.parametrize("ties", [False, True])
def test_influences_are_derivatives_by_weights(ties: bool) -> None:
    scores, positive = example(25, ties=ties)
    found = average_precision(scores, positive)
    ones = np.ones(len(scores))
    for index in range(len(scores)):
        step = np.zeros(len(scores))
        step[index] = 1e-6
        change = weighted(scores, positive, ones + step) - weighted(scores, positive, ones - step)
        assert found.influence[index] == pytest.approx(change / 2e-6, abs=1e-7)
    assert found.influence.sum() == pytest.approx(0, abs=1e-12)


def test_standard_errors_agree_with_the_bootstrap() -> None:
    scores, positive = example(400, ties=False)
    error = np.sqrt(np.square(average_precision(scores, positive).influence).sum())
    drawn = RNG.integers(400, size=(400, 400))
    values = [average_precision(scores[each], positive[each]).value for each in drawn]
    assert error == pytest.approx(np.std(values), rel=0.15)


def test_perfect_and_constant_scores_have_known_values() -> None:
    positive = np.arange(10) < 3
    assert average_precision(-np.arange(10.0), positive).value == 1
    assert average_precision(np.zeros(10), positive).value == pytest.approx(0.3)
