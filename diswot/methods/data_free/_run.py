"""Distillation without training data as a method of `run`."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from diswot.errors import OptionError
from diswot.methods._run_method import RunMethod
from diswot.methods._unlabeled import check_scorer
from diswot.methods.data_free._objectives import OBJECTIVES
from diswot.methods.data_free._options import DataFreeOptions
from diswot.methods.data_free._training import DataFreeMethod
from diswot.tasks import Task
from diswot.training import MakeMethod

LOSS = "kd(T=4)"
"""The student's loss on noise and on distorted inputs."""

CLASSIFIERS = ({"real inputs", "logits", "feature maps"}, {"tokens", "logits"})
"""What networks of tasks offer for which pseudo-samples can be made, see `Task.reads`."""


class DataFreeRun(RunMethod):
    """Distills students on pseudo-samples, without the training data of the teacher.

    Search and trainings read no training example, except with `--samples distorted`. Candidates
    are scored on the validation split, without labels; it also selects epochs and the student,
    and the test split measures them. A teacher without weights is trained on the training split
    first, as in other runs.
    """

    name = "data-free"
    summary = "students that are distilled on generated inputs or noise, without training data"
    options = DataFreeOptions
    scored_on = "val"
    defaults: Mapping[str, Any] = {"train_batch_size": 64}

    def check(self, task: Task, options: Mapping[str, Any]) -> None:
        """Make sure that the task classifies images or tokens, and that the score needs no labels.

        Raises:
            OptionError: there are no such inputs or no classes, or the score reads labels.
        """
        if not any(task.reads.issuperset(kind) for kind in CLASSIFIERS):
            raise OptionError(
                "the method data-free makes images or tokens for classifiers, which networks of "
                f"the task {task.name} are not: use --task images, or leave --method out"
            )
        check_scorer(self.name, options)

    def losses(self, _task: Task, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the loss that belongs to the pseudo-samples."""
        objective = OBJECTIVES.get(options["samples"])
        return (LOSS if objective is None else objective.loss,)

    def training(self, options: Mapping[str, Any]) -> MakeMethod:
        """Return what makes the training of a student on pseudo-samples."""
        return partial(DataFreeMethod, options=options)
