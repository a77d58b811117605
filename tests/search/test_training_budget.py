"""Division of a training budget."""

import pytest

from diswot.errors import OptionError
from diswot.search import BriefTraining, Plan, TrainingBudget
from diswot.training import total_epochs


@pytest.mark.parametrize("total", ["1x", "1.5x", "2x", "6x", "10x", "25x"])
@pytest.mark.parametrize("whole", [1, 10, 200])
def test_the_sum_of_all_trainings_is_within_the_budget(total: str, whole: int) -> None:
    plan = TrainingBudget.chosen(None, None, total).plan(whole)
    assert plan.shortlist is not None
    assert plan.trainings is not None
    spent = plan.trainings * plan.epochs + total_epochs(plan.shortlist, whole)
    assert whole <= spent <= float(total[:-1]) * whole


def test_no_option_means_no_training() -> None:
    assert not TrainingBudget.chosen(None, None, None)
    assert TrainingBudget.chosen(0, None, None).plan(20) == Plan(0, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((None, None, "0x"), "at least 1x"),
        ((None, None, "six"), "at least 1x"),
        ((None, None, "-2x"), "at least 1x"),
        ((None, None, "0min"), "10min"),
        ((None, None, "10 hours"), "10min"),
        ((None, 3, None), "--trainings 20"),
        ((0, 3, None), "--trainings 20"),
        ((3, 0, None), "at least 1 epoch"),
    ],
)
def test_invalid_training_budgets_are_refused(
    options: tuple[int | None, int | None, str | None], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        TrainingBudget.chosen(*options)


def test_short_trainings_that_use_the_whole_budget_are_refused() -> None:
    with pytest.raises(OptionError, match="the winner needs 20"):
        TrainingBudget.chosen(30, 2, "2x").plan(20)
    with pytest.raises(OptionError, match="at most 20"):
        TrainingBudget.chosen(3, 21, None).plan(20)


def trained(seconds: float, *, count: int = 4, failure: str | None = None) -> list[BriefTraining]:
    """Return short trainings of 4 epochs with these seconds each."""
    value, curve = (None, ()) if failure else (0.5, (0.1, 0.2, 0.3, 0.5))
    return [BriefTraining(str(n), str(n), 4, value, failure, seconds, curve) for n in range(count)]


def test_a_time_budget_is_divided_by_the_measured_epoch_time() -> None:
    budget = TrainingBudget.chosen(None, None, "10min")
    plan = budget.plan(20)
    assert (plan.epochs, plan.left([])) == (4, 4)
    # 2 s an epoch, 8 s a short training, 40 s a full one: 300 s of short ones are 37
    assert plan.left(trained(8.0)) == 33
    assert plan.left(trained(8.0, count=37)) == 0
    # 304 s are left, 152 epochs: enough to halve all of them
    assert budget.plan(20, trained(8.0, count=37)).shortlist == 37
    # 2.5 s an epoch leave 60 s of 100, 24 epochs: those of the winner
    assert TrainingBudget(minutes=100 / 60).plan(20, trained(10.0)).shortlist == 1


def test_a_time_budget_for_the_winner_allows_no_more_trainings() -> None:
    budget = TrainingBudget.chosen(None, None, "1min")
    assert budget.plan(20).left(trained(8.0)) == 0  # 32 s of 60 are spent
    assert budget.plan(20, trained(60.0)).shortlist == 1


@pytest.mark.parametrize("failure", [None, "broken"])
def test_trainings_of_zero_seconds_still_end(failure: str | None) -> None:
    plan = TrainingBudget.chosen(None, None, "1min").plan(20)
    assert plan.left(trained(0.0, failure=failure)) > 0


def test_epochs_of_stopped_trainings_go_to_more_trainings() -> None:
    stopped = BriefTraining("1", "1", 4, 0.2, None, 1.0, (0.1, 0.2))
    plan = TrainingBudget.chosen(None, None, "6x").plan(20)
    assert plan.left([stopped] * 4) == plan.left(trained(1.0)) + 2
    fixed = TrainingBudget.chosen(10, 4, None).plan(20)
    assert fixed.left([stopped] * 4) == fixed.left(trained(1.0)) == 6


def test_failed_trainings_count_in_full() -> None:
    plan = TrainingBudget.chosen(None, None, "6x").plan(20)
    assert plan.left(trained(0.1, failure="broken")) == plan.left(trained(0.1))
