"""How a network is trained: every setting, and the learning rate of every step."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diswot.errors import OptionError
from diswot.options import OPTIMIZERS, RecipeOptions, declared
from diswot.tasks import Dataset

SMALL_DATA = 5000
"""Training examples below which twice as many epochs are the default."""

_OF_OPTIMIZER = ("optimizer", "learning_rate", "weight_decay")

LONGEST_DEFAULT = 20
"""Epochs of a training on few examples."""


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Source: the recipe of the DisWOT paper's CIFAR-100 tables (240 epochs, learning rate
    ×0.1 at 150, 180 and 210), its milestones scaled to the epochs asked for.

    Attributes:
        epochs: passes through the training examples.
        batch_size: examples of one step of the optimizer, of all processes together.
        optimizer: a name of `OPTIMIZERS`.
        learning_rate: where the schedule starts, after its warm-up.
        momentum: of `sgd`.
        weight_decay: on all parameters; of `adamw` apart from the gradient.
        schedule: `step`: times `decay` at every milestone; `cosine`: half a cosine, from the
            warm-up's end down to 0 (Loshchilov and Hutter, "SGDR", ICLR 2017, eq. 5).
        milestones: shares of the epochs.
        decay: what the learning rate is multiplied by at a milestone.
        warmup_epochs: of linear warm-up of the learning rate from 0.
        ema: decay of the moving average of the weights, which are then the ones that are
            evaluated and kept; `None` for no average.
        label_smoothing: share of a label that is spread over all classes.
        mixup: parameter α of mixup's Beta(α, α); 0 for no mixup.
        cutmix: the same of cutmix; where both are on, every batch has one of them.
        augment: a name of `AUGMENTATIONS`.
        max_grad_norm: gradient clipping: maximum norm of the gradient; `None` for no limit.
        gradient_accumulation: parts of a batch that are computed one after the other, which
            saves memory.
        precision: a name of `PRECISIONS`.
        seed: of the order of the examples and of all that is drawn.

    Raises:
        OptionError: a value is out of range.
    """

    epochs: int
    batch_size: int = 64
    optimizer: str = "sgd"
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: str = "step"
    milestones: tuple[float, ...] = (150 / 240, 180 / 240, 210 / 240)
    decay: float = 0.1
    warmup_epochs: float = 0.0
    ema: float | None = None
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    augment: str = "standard"
    max_grad_norm: float | None = None
    gradient_accumulation: int = 1
    precision: str = "single"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, option in declared(RecipeOptions).items():
            option.checked(self.batch_size if name == "train_batch_size" else getattr(self, name))
        self._check("momentum", 0 <= self.momentum < 1, "at least 0 and less than 1")
        in_range = 0 <= self.warmup_epochs < self.epochs or self.warmup_epochs == 0
        self._check("warmup_epochs", in_range, f"at least 0 and less than {self.epochs} epochs")
        parts = self.gradient_accumulation
        if self.batch_size % parts:
            raise OptionError(
                f"Expected a batch size that can be divided by gradient accumulation {parts}, "
                f"but got {self.batch_size}: give a multiple of it"
            )

    def _check(self, name: str, right: bool, expected: str) -> None:
        if not right:
            words = name.replace("_", " ")
            raise OptionError(f"Expected {words} to be {expected}, but got {getattr(self, name)}")

    def rate(self, position: float) -> float:
        """Return the learning rate at a position in epochs, counted from 0.

        A step has the rate of its middle.

        Examples:
            >>> Recipe(240).rate(149.9), Recipe(240, schedule="cosine").rate(120)
            (0.05, 0.025)
            >>> Recipe(240, warmup_epochs=5).rate(2.5)
            0.025
        """
        if position < self.warmup_epochs:
            return self.learning_rate * position / self.warmup_epochs
        if self.schedule == "cosine":
            done = (position - self.warmup_epochs) / (self.epochs - self.warmup_epochs)
            return self.learning_rate * (1 + math.cos(math.pi * done)) / 2
        passed = sum(position >= fraction * self.epochs for fraction in self.milestones)
        return self.learning_rate * self.decay**passed

    def steps_per_epoch(self, examples: int) -> int:
        """Return how many batches an epoch has; a last one that is not full is left out."""
        return max(1, examples // self.batch_size)


def check_recipe(options: Mapping[str, Any]) -> None:
    """Check the options of a recipe before there are data.

    What depends on data and was left open is taken as it contradicts least.

    Raises:
        OptionError: a value is out of range, or two contradict each other.
    """
    given = {name: value for name, value in options.items() if value is not None}
    batch_size = given.pop("train_batch_size", given.get("gradient_accumulation", 1))
    Recipe(**{"epochs": LONGEST_DEFAULT, "batch_size": batch_size, **given})


def default_recipe(
    data: Dataset,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    weight_decay: float | None = None,
    **settings: Any,
) -> Recipe:
    """Return the recipe for `data`, with defaults in place of what is `None`.

    Batches are 64, or less so that an epoch has 16 steps; learning rate and weight decay
    are those of the optimizer. What the task says of such data goes before that.

    Args:
        data: what is trained on.
        epochs: by default 10, and 20 for fewer than 5,000 training examples.
        batch_size: examples of a step.
        optimizer: a name of `OPTIMIZERS`.
        learning_rate: where the schedule starts.
        weight_decay: by default that of the optimizer.
        **settings: the other attributes of `Recipe`; `None` stands for its default.

    Raises:
        OptionError: a value is out of range, or means nothing for such data.
    """
    usual = _usual(data, optimizer)
    asked = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        **settings,
    }
    found = Recipe(**usual | {name: value for name, value in asked.items() if value is not None})
    data.task.check_changes(found)
    return found


def _usual(data: Dataset, optimizer: str | None) -> dict[str, Any]:
    """Return the defaults for some data: of the task, else of the optimizer, else of all."""
    own = dict(data.task.recipe(data))
    if optimizer not in (None, own.get("optimizer")):  # its rate and decay are not this one's
        own = {name: own[name] for name in own if name not in _OF_OPTIMIZER}
    chosen = optimizer or own.get("optimizer", "sgd")
    rate, decay = OPTIMIZERS.get(chosen, OPTIMIZERS["sgd"])
    steps_of_16 = max(8, 2 ** ((data.size("train") // 16).bit_length() - 1))
    return {
        "epochs": LONGEST_DEFAULT if data.size("train") < SMALL_DATA else 10,
        "batch_size": min(64, steps_of_16),
        "learning_rate": rate,
        "weight_decay": decay,
        **own,
        "optimizer": chosen,
    }
