"""Distillation on examples without labels, which take the place of the training split."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.losses import Objective
from diswot.methods._wrapped_batches import WrappedBatches
from diswot.options import DEFAULT_SCORER
from diswot.scorers import find_scorer
from diswot.tasks import Batch, Dataset
from diswot.training import DistillationMethod


def check_scorer(method: str, options: Mapping[str, Any]) -> None:
    """Make sure that the score of a run needs no labels.

    Args:
        method: name of the method.
        options: options of the run.

    Raises:
        OptionError: it reads labels.
    """
    card = find_scorer(options.get("scorer") or DEFAULT_SCORER).card
    if card.needs_labels:
        raise OptionError(
            f"the method {method} has no labels, but the scorer {card.name} reads them: use "
            "another, such as --scorer student_fit"
        )


class UnlabeledMethod(DistillationMethod):
    """Base class of distillation on other examples than the training split, without labels.

    Args:
        student: the network to train.
        objective: a loss of student and teacher without labels.
        teachers: the teacher, by name.
        seed: seed of the initial weights of what is trained with the student.
        options: options of the method, including defaults.

    Attributes:
        examples_name: what the examples are, in messages.

    Raises:
        OptionError: there is no teacher, or the loss reads labels.
    """

    examples_name: ClassVar[str]

    def __init__(
        self,
        student: nn.Module,
        objective: Objective,
        *,
        teachers: Mapping[str, nn.Module] | None = None,
        seed: int = 0,
        options: Mapping[str, Any],
    ) -> None:
        if objective.reads & {"labels", "targets"}:
            raise OptionError(
                f"the loss {objective.text} reads labels, which {self.examples_name} do not have: "
                "use one of the teacher's outputs, such as kd"
            )
        super().__init__(student, objective, teachers=teachers, seed=seed)
        self._options = dict(options)

    @property
    def viewing(self) -> Mapping[str, nn.Module]:
        """No teacher has its own view: the examples have one size."""
        return {}

    def setup(self, data: Dataset, device: str) -> None:
        """Build the criterion.

        Args:
            data: the dataset, which gives examples and signature.
            device: torch device.

        Raises:
            OptionError: the loss is first trained on teacher outputs for training examples.
        """
        super().setup(data, device)
        if self.criterion.needs_preparation:
            raise OptionError(
                f"the loss {self.name} has parts that are trained on training examples first: use "
                "another, such as kd"
            )


class UnlabeledBatches(WrappedBatches):
    """Batches of another source without their labels; a subclass can change their inputs.

    Args:
        source: batches of examples.
    """

    fixed = False
    views: Mapping[str, str] = {}
    teachers_fixed = False

    def changed(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the inputs that networks get, by torch's global generator; by default the same.

        Args:
            *inputs: inputs of a batch of the source, each (B, …).
        """
        return inputs

    def wrapped(self, batch: Batch) -> Batch:
        """Return a batch with changed inputs and without labels."""
        return replace(batch, inputs=self.changed(*batch.inputs), targets=None, labels=None)
