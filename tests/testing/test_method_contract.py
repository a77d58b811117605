"""The contract check of methods passes for the built-in one and detects every violation."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import torch

from diswot.losses import Losses, parse_objective
from diswot.tasks import Batch
from diswot.tasks.images import ImageData
from diswot.testing import check_method
from diswot.training import DistillationMethod, Player
from tests.training.adversarial import Adversarial
from tests.training.short_training import few_digits, small


@pytest.fixture(name="few", scope="module")
def fixture_few() -> ImageData:
    return few_digits(48)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["alone", "ce + 0.9*kd(T=4) + 0.1*fitnet + 0.1*crd + 0.1*ft"])
def test_distillation_follows_the_contract(few: ImageData, loss: str) -> None:
    def make() -> DistillationMethod:
        teachers = {"teacher": small(1, width=8)}
        return DistillationMethod(small(0), parse_objective(loss), teachers=teachers)

    check_method(make, few)


def test_a_method_with_two_players_follows_the_contract(few: ImageData) -> None:
    check_method(Adversarial, few)


class Forgetful(Adversarial):
    """Counts steps in an attribute that is not in the checkpoint."""

    _steps = 0

    def losses(self, player: str, batch: Batch, progress: float) -> Losses:
        self._steps += 1
        found = super().losses(player, batch, progress)
        return Losses(found.total * (1 + self._steps / 10), found.terms)


class Spoiling(Adversarial):
    """Changes its teacher."""

    def losses(self, player: str, batch: Batch, progress: float) -> Losses:
        with torch.no_grad():
            next(self.teachers["teacher"].parameters()).mul_(0.9)
        return super().losses(player, batch, progress)


class Leaking(Adversarial):
    """Has a loss that gives the teacher gradients."""

    def losses(self, player: str, batch: Batch, progress: float) -> Losses:
        found = super().losses(player, batch, progress)
        return Losses(found.total + self.teachers["teacher"](*batch.inputs).mean(), found.terms)


class Sharing(Adversarial):
    """Lets the student's step also train the critic."""

    def players(self) -> Mapping[str, Player]:
        critic, _ = super().players().values()
        return {"critic": critic, "student": Player(list(self.parameters()))}


class Blind(Adversarial):
    """Has a student loss that does not depend on the student."""

    def losses(self, player: str, batch: Batch, progress: float) -> Losses:
        return super().losses("critic", batch, progress)


class Endless(Adversarial):
    """Has a loss that is not finite."""

    def losses(self, player: str, batch: Batch, progress: float) -> Losses:
        found = super().losses(player, batch, progress)
        return Losses(found.total / 0, found.terms)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (Forgetful, "resumes to the same state, but .*first.weight"),
        (Spoiling, "the teacher teacher is not changed, but .*first.weight"),
        (Leaking, "no gradient reaches the teacher teacher"),
        (Sharing, "parameters of its own, but critic and student share 4"),
        (Blind, "the gradient of the loss of student reaches its parameters"),
        (Endless, "the loss of critic is one finite number, but is"),
        (partial(Adversarial, frozen=True), "the player 'critic' of Adversarial"),
        (partial(Adversarial, every=20), "a turn every 1 to 12 steps"),
    ],
)
def test_the_error_names_the_broken_rule(
    make: Callable[[], Any], rule: str, few: ImageData
) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_method(make, few)
