"""The contract checks of spaces, scorers and losses pass and fail as expected."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from diswot.losses import Card as LossCard
from diswot.losses import register as register_loss
from diswot.losses import terms
from diswot.scorers import scorers
from diswot.tasks import TASKS, find_task
from diswot.testing import check_loss, check_scorer, check_space
from search_spaces import (
    Architecture,
    AutoFormerSpace,
    Choice,
    ChoiceSpace,
    MacroSpace,
    NASBench201Space,
    ResNetDepthSpace,
    SearchSpace,
)

SCORERS = sorted(scorers())
for task in TASKS:
    find_task(task)  # registers its losses
TERMS = sorted(terms())


class Widths(ChoiceSpace):
    """A space that follows the contract."""

    width = Choice(2, 4, 8)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, arch.width, 3),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(arch.width, num_classes),
        )


@pytest.mark.parametrize("name", SCORERS)
def test_every_scorer_follows_its_contract(name: str) -> None:
    check_scorer(name)


@pytest.mark.parametrize("name", TERMS)
def test_every_loss_follows_its_contract(name: str) -> None:
    texts = "text embeddings" in terms()[name].card.reads
    check_loss(name, targets={"texts": {"en": torch.eye(4)}} if texts else None)


@pytest.mark.parametrize(
    "space",
    [
        Widths(),
        ResNetDepthSpace((1, 2), widths=(2, 2, 4, 4)),
        NASBench201Space(channels=2, cells=1),
        MacroSpace(widths=(8, 16), max_layers=9),
        AutoFormerSpace(hidden_dims=(8, 16), depths=(1, 2), heads=(1, 2), mlp_ratios=(0.5, 2)),
    ],
    ids=lambda space: type(space).__name__,
)
def test_every_space_follows_its_contract(space: SearchSpace) -> None:
    check_space(space, draws=5)


class Lonely(Widths):
    def mutate(self, arch: Architecture, rng: np.random.Generator) -> Architecture:
        return arch


class Forgetful(Widths):
    def from_string(self, text: str) -> Architecture:
        return self.architecture(2)


class Global(Widths):
    def sample(self, rng: np.random.Generator) -> Architecture:
        return self.architecture((2, 4, 8)[int(torch.randint(3, (1,)))])


class Fixed(Widths):
    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        return super().build(arch, 10)


class Short(Widths):
    @property
    def size(self) -> int:
        return 2


@pytest.mark.parametrize(
    ("space", "rule"),
    [
        (Lonely, "mutate"),
        (Forgetful, "from_string"),
        (Global, "global generator"),
        (Fixed, "expected outputs"),
        (Short, "size is 2"),
    ],
)
def test_the_error_names_the_broken_rule_of_a_space(space: type[Widths], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_space(space())


def infinite(student: Any, teacher: Any) -> float:
    return float("inf")


def changing(student: Any, teacher: Any) -> float:
    next(student.network.parameters()).data.add_(1)
    return 1.0


def random(student: Any, teacher: Any) -> float:
    return float(torch.rand(()))


def reads_labels(student: Any, teacher: Any) -> float:
    return 0.0 if student.labels is None else 1.0


@pytest.mark.parametrize(
    ("scorer", "rule"),
    [
        (infinite, "is finite"),
        (changing, "leaves the student"),
        (random, "global generator"),
        (reads_labels, "needs_labels"),
    ],
)
def test_the_error_names_the_broken_rule_of_a_scorer(
    scorer: Callable[..., float], rule: str
) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_scorer(scorer)


@register_loss(LossCard("unreachable", "nothing to learn", "a test", least=None))
def unreachable(student: Any, teacher: Any, batch: Any) -> torch.Tensor:
    return student.output.detach().sum().requires_grad_()  # type: ignore[no-any-return]


@register_loss(LossCard("into_teacher", "the wrong way", "a test", least=None))
def into_teacher(student: Any, teacher: Any, batch: Any) -> torch.Tensor:
    return ((student.output - teacher.output) ** 2).mean()  # type: ignore[no-any-return]


@register_loss(LossCard("shifted", "not least at equality", "a test", least=0.0))
def shifted(student: Any, teacher: Any, batch: Any) -> torch.Tensor:
    return ((student.output - teacher.output.detach()) ** 2).mean() + 1  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("loss", "rule"),
    [
        ("unreachable", "reach the student"),
        ("into_teacher", "reaches the teacher"),
        ("1*shifted", "equals the teacher"),
    ],
)
def test_the_error_names_the_broken_rule_of_a_loss(loss: str, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_loss(loss)
