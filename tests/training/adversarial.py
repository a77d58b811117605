"""A method with two players that can be trained in another process."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.losses import Losses
from diswot.tasks import Batch
from diswot.training import Method, Player, Recipe, Training, train_by
from tests.training.short_training import few_digits, small

RECIPE = Recipe(epochs=2, batch_size=12, learning_rate=0.05, gradient_accumulation=2, ema=0.9)
CRITIC = Recipe(epochs=1, optimizer="adamw", learning_rate=0.01, schedule="cosine")


class Adversarial(Method):
    """Adversarial distillation: a critic separates the outputs of student and teacher.

    Args:
        every: the critic has a turn every this many steps.
        frozen: whether the critic has no trainable parameters.
    """

    def __init__(self, *, every: int = 2, frozen: bool = False) -> None:
        super().__init__(small(0), {"teacher": small(1, width=8)})
        torch.manual_seed(2)
        self.critic = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 1))
        self.critic.requires_grad_(not frozen)
        self._every = every
        self.turns: list[str] = []

    @property
    def name(self) -> str:
        """The name of the method."""
        return "adversarial"

    def players(self) -> Mapping[str, Player]:
        """Return the critic and the student, which are trained against each other."""
        return {
            "critic": Player(self._of(self.critic), every=self._every, recipe=CRITIC),
            "student": Player(self._of(self.student)),
        }

    def losses(self, player: str, batch: Batch, _progress: float) -> Losses:
        """Return the loss of the critic, or of the student that tries to fool it."""
        self.turns.append(player)
        with torch.no_grad():
            real = self.teachers["teacher"](*batch.inputs)
        made = self.student(*batch.inputs)
        if player == "critic":
            return _losses(
                teacher=F.softplus(-self.critic(real)).mean(),
                student=F.softplus(self.critic(made.detach())).mean(),
            )
        return _losses(
            fooled=F.softplus(-self.critic(made)).mean(),
            labels=F.cross_entropy(made, batch.targets),
        )

    @staticmethod
    def _of(module: nn.Module) -> Sequence[nn.Parameter]:
        return list(module.parameters())


def _losses(**terms: Tensor) -> Losses:
    total = torch.stack([*terms.values()]).sum()
    return Losses(total, {name: term.detach() for name, term in terms.items()})


def contest(folder: Path | None, *, epochs: int = 2, **options: Any) -> tuple[Training, Method]:
    """Train both in `folder`, with a checkpoint at every log step."""
    method = Adversarial(**options)
    recipe = replace(RECIPE, epochs=epochs)
    return train_by(
        method, few_digits(), recipe=recipe, folder=folder, checkpoint_minutes=0
    ), method


if __name__ == "__main__":
    torch.set_num_threads(1)
    contest(Path(sys.argv[1]))
