"""The part of tasks that classify token sequences which texts and source code share."""

from collections.abc import Mapping
from typing import Any

from diswot.errors import OptionError
from diswot.tasks._examples import Changes
from diswot.tasks._task import Dataset, Task


class TokenTask(Task):
    """Base class of tasks with one class for each sequence of tokens."""

    reads = frozenset(
        {
            "outputs",
            "logits",
            "labels",
            "features",
            "feature maps",
            "stages",
            "classifier weights",
            "tokens",
        }
    )
    losses = ("alone", "kd")
    outputs = "classes"

    def recipe(self, _dataset: Dataset) -> Mapping[str, Any]:
        """Return AdamW, with which transformers train faster than SGD, at learning rate 0.003."""
        return {"optimizer": "adamw", "learning_rate": 0.003}

    def check_changes(self, changes: Changes) -> None:
        """Raise for mixup and CutMix, which are not defined for tokens.

        Raises:
            OptionError: one of them is set.
        """
        for name in ("mixup", "cutmix"):
            if value := getattr(changes, name):
                raise OptionError(f"{self.noun}s cannot be mixed by {name} {value}: leave it out")
