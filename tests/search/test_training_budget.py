"""How a budget of trainings is divided."""

import pytest

from diswot.errors import OptionError
from diswot.search import Plan, TrainingBudget
from diswot.training import total_epochs


@pytest.mark.parametrize("total", ["1x", "1.5x", "2x", "6x", "10x", "25x"])
@pytest.mark.parametrize("whole", [1, 10, 200])
def test_all_trainings_are_within_the_budget(total: str, whole: int) -> None:
    plan = TrainingBudget.chosen(None, None, total).plan(whole)
    assert plan.shortlist is not None
    spent = plan.trainings * plan.epochs + total_epochs(plan.shortlist, whole)
    assert whole <= spent <= float(total[:-1]) * whole


def test_nothing_asked_for_is_no_training() -> None:
    assert not TrainingBudget.chosen(None, None, None)
    assert TrainingBudget.chosen(0, None, None).plan(20) == Plan(0, 4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((None, None, "0x"), "at least 1x"),
        ((None, None, "six"), "at least 1x"),
        ((None, None, "-2x"), "at least 1x"),
        ((None, 3, None), "--trainings 20"),
        ((0, 3, None), "--trainings 20"),
    ],
)
def test_budgets_that_cannot_be_are_refused(
    options: tuple[int | None, int | None, str | None], said: str
) -> None:
    with pytest.raises(OptionError, match=said):
        TrainingBudget.chosen(*options)


def test_trainings_that_leave_nothing_for_the_winner_are_refused() -> None:
    with pytest.raises(OptionError, match="the winner needs 20"):
        TrainingBudget.chosen(30, 2, "2x").plan(20)
    with pytest.raises(OptionError, match="at most 20"):
        TrainingBudget.chosen(3, 21, None).plan(20)
