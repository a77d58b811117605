"""Learning curves of short trainings."""

from collections.abc import Sequence

import numpy as np

from diswot.search import BriefTraining
from diswot.search.few_shot import expected_values, least_values


def training(*curve: float, epochs: int = 4, failure: str | None = None) -> BriefTraining:
    value = None if failure else curve[-1]
    return BriefTraining("key", "name", epochs, value, failure, 1.0, curve)


ENDED = [training(*(0.1 * n, 0.2 * n, 0.3 * n, 0.4 * n)) for n in range(1, 5)]


def rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 6) for value in values]


EIGHT = [training(*(0.1 * n, 0.2 * n, 0.3 * n, 0.4 * n)) for n in range(1, 9)]


def test_the_lowest_of_the_better_half_is_the_threshold() -> None:
    assert rounded(least_values(EIGHT, 4)) == [-np.inf, 1.0, 1.5, 2.0]


def test_late_gains_of_others_keep_a_training_alive() -> None:
    late = training(0.1, 0.1, 0.2, 9.0)
    assert rounded(least_values([*EIGHT, late], 4)) == [-np.inf, 0.1, 0.2, 2.0]


def test_stopped_trainings_do_not_move_the_threshold() -> None:
    assert least_values([*EIGHT, training(0.1, 0.2)], 4) == least_values(EIGHT, 4)


def test_with_fewer_than_eight_curves_nothing_is_stopped() -> None:
    failed = [training(failure="broken")] * 5
    older = [BriefTraining("key", "name", 4, 0.5)] * 5
    assert least_values([*EIGHT[:7], *failed, *older], 4) == (-np.inf,) * 4


def test_stopped_trainings_are_extrapolated_from_the_others() -> None:
    stopped = training(0.1, 0.15)
    found = expected_values(dict(enumerate([*ENDED, stopped, training(failure="broken")])))
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert rounded([found[4]]) == [0.65]
    assert found[0] == ENDED[0].value
    assert stopped.stopped
    assert (stopped.spent, ENDED[0].spent) == (2, 4)


def test_without_others_a_stopped_training_keeps_its_value() -> None:
    assert expected_values({7: training(0.1, 0.15)}) == {7: 0.15}
