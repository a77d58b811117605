"""The number of short trainings that are worth their cost."""

from collections.abc import Callable

import numpy as np
import pytest

from diswot.search.few_shot import Posterior, Ranker

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(300, 3)) / np.sqrt(3)
SCORES = RNG.normal(size=300)
TRUE = 0.8 * SCORES + 0.6 * RNG.normal(size=300)
PLACES = [int(place) for place in np.argsort(-SCORES)[:96:8]]


def left(total: float, share: float) -> Callable[[int], int]:
    return lambda more: max(1, int(total - more * share + 1e-9))


def results(values: np.ndarray) -> dict[int, float]:
    return {place: float(values[place]) for place in PLACES}


def worthwhile(known: dict[int, float], total: float, share: float, most: int) -> int:
    return Ranker(FEATURES, SCORES).worthwhile(known, most, left(total, share))


def test_informative_short_trainings_are_worth_more() -> None:
    informative = worthwhile(results(TRUE), 3, 0.05, 30)
    misleading = worthwhile(results(-TRUE), 3, 0.05, 30)
    assert informative > misleading


def test_short_trainings_at_full_cost_are_not_worth_it() -> None:
    assert worthwhile(results(TRUE), 4, 1.0, 2) == 0


def test_without_full_trainings_short_ones_are_worth_it() -> None:
    assert worthwhile({}, 1.9, 0.05, 12) > 0


@pytest.mark.parametrize("most", [0, -3])
def test_without_budget_no_training_is_left(most: int) -> None:
    assert worthwhile(results(TRUE), 6, 0.1, most) == 0


def test_the_number_is_never_above_what_is_left() -> None:
    posterior = Posterior(FEATURES, SCORES)
    assert posterior(results(TRUE)).trust > posterior(results(-TRUE)).trust
    assert 0 < worthwhile(results(TRUE), 1.5, 0.01, 7) <= 7
