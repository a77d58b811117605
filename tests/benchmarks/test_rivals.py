"""Scores on the same networks, and early stopping of their learning curves."""

import numpy as np
import pytest

from benchmarks.early_stopping import training
from benchmarks.lab.rivals import RIVALS, rows_of
from diswot.bench.measurement import Measured

ACCURACIES = np.linspace(50, 90, 40)


def measured() -> list[Measured]:
    """Return networks that `student_fit` ranks without error, and counts in reverse."""
    return [
        Measured(
            params=1,
            macs=1,
            terms={"student_fit": (accuracy, accuracy + 0.1)} | dict.fromkeys(RIVALS, (-accuracy,)),
            failures={},
        )
        for accuracy in ACCURACIES.tolist()
    ]


def test_the_difference_of_two_scores_is_paired() -> None:
    first, *others = rows_of("digits-thin", measured(), ACCURACIES, images=8)
    assert (first.scorer, first.kendall, first.ahead) == ("student_fit", 1.0, 0.0)
    assert {row.scorer for row in others} == {*RIVALS}
    for row in others:
        assert (row.kendall, row.ahead) == (-1.0, 2.0)
        assert row.ahead_low == pytest.approx(2.0) == row.ahead_high


def test_networks_without_all_scores_are_left_out() -> None:
    results = measured()
    results[3] = Measured(1, 1, {"student_fit": (1.0, 1.0)}, {"nwot": "it is -inf"})
    rows = rows_of("digits-thin", results, ACCURACIES, images=8)
    assert {(row.networks, row.failed, row.seeds) for row in rows} == {(39, 1, 2)}


def test_a_training_ends_at_the_first_epoch_below_its_limit() -> None:
    limits = (-np.inf, 0.2, 0.3, 0.4)
    stopped = training("name", (0.1, 0.2, 0.25, 0.9), limits)
    assert (stopped.curve, stopped.stopped, stopped.spent) == ((0.1, 0.2, 0.25), True, 3)
    assert not training("name", (0.1, 0.2, 0.3, 0.3), limits).stopped
