"""The recipe of a training: all hyperparameters, and the learning rate of every step."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from diswot.errors import OptionError
from diswot.options import OPTIMIZERS, RecipeOptions, declared
from diswot.tasks import Dataset, check_class_labels

SMALL_DATA = 5000
"""Number of training examples below which the default number of epochs is doubled."""

_OF_OPTIMIZER = ("optimizer", "learning_rate", "weight_decay")

ACCELERATIONS = ("channels_last", "tf32", "compile")
"""Settings that make trainings faster on some devices, and change the last digits of results."""

ADDED = (*ACCELERATIONS, "class_weights", "sampling")
"""Settings that records of version 0.1.0 do not have; those that are off are left out."""

LONGEST_DEFAULT = 20
"""Default number of epochs for small datasets."""


@dataclass(frozen=True)
class Recipe:
    """The hyperparameters of a training.

    Source of the defaults: the recipe of the DisWOT paper's CIFAR-100 tables (240 epochs,
    learning rate ×0.1 at 150, 180 and 210), with milestones scaled to the number of epochs.

    Attributes:
        epochs: number of passes over the training split.
        batch_size: examples per optimizer step, over all processes.
        optimizer: a name of `OPTIMIZERS`.
        learning_rate: initial learning rate, after the warm-up.
        momentum: momentum of `sgd`.
        weight_decay: weight decay of all parameters; decoupled with `adamw`.
        schedule: `step`: multiply by `decay` at every milestone; `cosine`: half a cosine from
            the end of the warm-up down to 0 (Loshchilov and Hutter, "SGDR", ICLR 2017, eq. 5).
        milestones: milestones of `step`, as fractions of the epochs.
        decay: factor of the learning rate at a milestone.
        warmup_epochs: length of the linear warm-up from 0, in epochs.
        ema: decay of the moving average (EMA) of the weights, which is then evaluated and
            saved; `None` for no average.
        label_smoothing: probability that is spread uniformly over all classes.
        mixup: parameter α of MixUp's Beta(α, α); 0 for no MixUp.
        cutmix: parameter α of CutMix's Beta(α, α); 0 for no CutMix. With both, one of them is
            drawn for every batch.
        augment: a name of `AUGMENTATIONS`.
        max_grad_norm: maximal norm of gradients (gradient clipping); `None` for no limit.
        gradient_accumulation: number of parts in which a batch is computed, to save memory.
        precision: a name of `PRECISIONS`.
        class_weights: `balanced`: the cross-entropy of an example is weighted by the inverse
            frequency of its class; `None` for equal weights.
        sampling: `balanced`: every class is drawn equally often, with replacement; `None` for
            every example once per epoch.
        channels_last: whether networks are in the channels-last memory format.
        tf32: whether fp32 convolutions and matrix products use TF32 on NVIDIA GPUs.
        compile: whether student and teachers are compiled with `torch.compile`.
        seed: seed of the order of examples and of all other randomness.

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
    class_weights: str | None = None
    sampling: str | None = None
    channels_last: bool = False
    tf32: bool = False
    compile: bool = False
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

    def __repr__(self) -> str:
        """Return the settings of `to_json`, so that names of cached networks stay valid."""
        settings = (f"{name}={value!r}" for name, value in self.to_json().items())
        return f"Recipe({', '.join(settings)})"

    def to_json(self) -> dict[str, Any]:
        """Return the settings; those added since version 0.1.0 are left out if they are off.

        Examples:
            >>> "compile" in Recipe(1).to_json(), "compile" in Recipe(1, compile=True).to_json()
            (False, True)
        """
        off = [name for name in ADDED if not getattr(self, name)]
        return {name: value for name, value in asdict(self).items() if name not in off}

    def rate(self, position: float) -> float:
        """Return the learning rate at a position of the training.

        Args:
            position: position in epochs, from 0; a step uses the position of its middle.

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
        """Return the number of batches per epoch; an incomplete last batch is dropped."""
        return max(1, examples // self.batch_size)


def check_recipe(options: Mapping[str, Any]) -> None:
    """Check the options of a recipe before data are read.

    Missing options whose defaults depend on the data get values that cause no contradiction.

    Args:
        options: options of the recipe by name; `None` for those that are not given.

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
    """Return the recipe for `data`, with defaults for everything that is `None`.

    The task's defaults for these data take precedence over the defaults described here.

    Args:
        data: the dataset.
        epochs: number of epochs; by default 10, or 20 for fewer than 5,000 training examples.
        batch_size: examples per step; by default 64, or fewer so that an epoch has 16 steps.
        optimizer: a name of `OPTIMIZERS`; by default `sgd`.
        learning_rate: initial learning rate; by default that of the optimizer.
        weight_decay: weight decay; by default that of the optimizer.
        **settings: other attributes of `Recipe`; `None` for the default.

    Raises:
        OptionError: a value is out of range, or does not apply to such data.
    """
    usual = _usual(data, optimizer)
    asked = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        **settings,
    }
    result = Recipe(**usual | {name: value for name, value in asked.items() if value is not None})
    data.task.check_changes(result)
    if result.class_weights is not None or result.sampling is not None:
        check_class_labels(data, "train")
    return result


def _usual(data: Dataset, optimizer: str | None) -> dict[str, Any]:
    """Return the default settings: those of the task, then of the optimizer, then general ones."""
    own = dict(data.task.recipe(data))
    if optimizer not in (None, own.get("optimizer")):  # the task's rate is for its own optimizer
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
