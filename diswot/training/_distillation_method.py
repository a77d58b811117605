"""Distillation as a training method: one player, the student, trained by a loss expression."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from diswot.losses import Criterion, Losses, Objective, TrainingBatch, needs_a_teacher
from diswot.networks import ActivationReader, Activations
from diswot.tasks import Batch, Dataset
from diswot.teachers import OwnView
from diswot.training._fingerprint import teachers_of
from diswot.training._method import STUDENT, Method, Player, called
from diswot.training._plain_batches import PlainBatches
from diswot.training._teacher_outputs import TeacherOutputs, cached, computed, given

EXAMPLES = 4
"""Batch size of the forward pass with which a criterion is built."""


class MakeMethod(Protocol):
    """(student, loss, teachers, seed) → the training method, such as `DistillationMethod`."""

    def __call__(
        self,
        student: nn.Module,
        objective: Objective,
        *,
        teachers: Mapping[str, nn.Module] | None = None,
        seed: int = 0,
    ) -> Method: ...


class DistillationMethod(Method):
    """Trains a student by one loss of labels and teacher outputs.

    Args:
        student: the network to train.
        objective: the parsed loss.
        teachers: teachers by name; losses for a single teacher use the first.
        seed: seed of the initial weights of trainable parts of the loss.

    Raises:
        OptionError: the loss needs a teacher and there is none.
    """

    criterion: Criterion

    def __init__(
        self,
        student: nn.Module,
        objective: Objective,
        *,
        teachers: Mapping[str, nn.Module] | None = None,
        seed: int = 0,
    ) -> None:
        if objective.needs_teacher and not teachers:
            raise needs_a_teacher(objective.text)
        super().__init__(student, teachers if objective.needs_teacher else None)
        self._objective, self._seed = objective, seed
        self._readers: dict[str, ActivationReader] = {}
        self._outputs: dict[str, TeacherOutputs] = {}

    @property
    def name(self) -> str:
        """The loss, as written by the user."""
        return self._objective.text

    @property
    def settings(self) -> dict[str, Any]:
        """The loss and hashes of the teachers, which are part of the fingerprint."""
        return settings_of(self._objective, self.teachers)

    def setup(self, data: Dataset, device: str) -> None:
        """Build the criterion for these networks and data.

        Args:
            data: the dataset.
            device: torch device.
        """
        super().setup(data, device)
        self.criterion = self._objective.build(
            self.student,
            next(iter(self.teachers.values()), None),
            *self.examples(data, device),
            outputs=data.signature.outputs,
            train_examples=data.size("train"),
            seed=self._seed,
        )
        self._read = ActivationReader(
            self.student, watches=self.criterion.student_watches, who="the student"
        )

    def examples(self, data: Dataset, device: str) -> tuple[Tensor, ...]:
        """Return a few inputs of networks, from which the shapes of their outputs are found.

        Args:
            data: the dataset.
            device: torch device.
        """
        places = torch.arange(min(EXAMPLES, data.size("train")))
        return data.batch("train", places, device=device).inputs

    @property
    def viewing(self) -> Mapping[str, nn.Module]:
        """The teachers that may get their own view of batches: all of them."""
        return self.teachers

    def prepare(self, batches: PlainBatches) -> None:
        """Train parts of the loss on the first teacher; cache teacher outputs if possible.

        Outputs are cached if examples are the same in every epoch.
        """
        for number, name in enumerate(self.teachers):
            read = self._reader(name, own_view=name in batches.views)
            with read:
                if number == 0 and self.criterion.needs_preparation:
                    self.criterion.prepare(_OfTeacher(read, batches, name))
                kept = cached(read, batches, name, who=called(name)) if batches.fixed else None
            self._readers[name], self._outputs[name] = read, kept or computed(read, name)

    def _reader(self, name: str, *, own_view: bool) -> ActivationReader:
        """Return the reader of a teacher's activations.

        Args:
            name: name of the teacher.
            own_view: whether batches already have the teacher's own view, so that the wrapper
                that would make it is skipped.
        """
        teacher = self.teachers[name]
        network = cast(OwnView, teacher).network if own_view else teacher
        watches = self.criterion.teacher_watches if name == next(iter(self.teachers)) else ()
        return ActivationReader(network, watches=watches, who=called(name))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Attach the readers' forward hooks inside the block."""
        with ExitStack() as readers:
            for read in (self._read, *self._readers.values()):
                readers.enter_context(read)
            yield

    def players(self) -> Mapping[str, Player]:
        """Return one player: the parameters of the student and of trainable parts of the loss."""
        return {
            STUDENT: Player(
                [parameter for parameter in self.parameters() if parameter.requires_grad]
            )
        }

    def losses(self, _player: str, batch: Batch, progress: float) -> Losses:
        """Return the loss of a batch.

        Args:
            batch: the training examples.
            progress: fraction of the training that is done, from 0 to 1.
        """
        teachers = self.teacher_outputs(batch)
        return self.loss_of(self._read(*batch.inputs), teachers, batch, progress)

    def teacher_outputs(self, batch: Batch) -> dict[str, Activations]:
        """Return the activations of all teachers for a batch, by name, without gradient."""
        return {name: outputs(batch) for name, outputs in self._outputs.items()}

    def loss_of(
        self,
        student: Activations,
        teachers: Mapping[str, Activations],
        batch: Batch,
        progress: float,
    ) -> Losses:
        """Return the loss of activations.

        Args:
            student: activations of the student for the batch.
            teachers: activations of the teachers by name.
            batch: the training examples.
            progress: fraction of the training that is done, from 0 to 1.
        """
        labels = batch.indices.new_empty(0) if batch.labels is None else batch.labels
        known = TrainingBatch(batch.targets, labels, batch.indices, progress, teachers)
        first = next(iter(teachers.values()), None)
        return cast(Losses, self.criterion(student, first, known))


def settings_of(objective: Objective, teachers: Mapping[str, nn.Module]) -> dict[str, Any]:
    """Return the loss and hashes of the teachers' weights, for the fingerprint of a training."""
    return {"loss": objective.text, **teachers_of(teachers if objective.needs_teacher else {})}


class _OfTeacher:
    """Iterates over a teacher's outputs for the training examples, batch by batch."""

    def __init__(self, read: ActivationReader, batches: PlainBatches, teacher: str) -> None:
        self._read, self._batches, self._teacher = read, batches, teacher

    def __iter__(self) -> Iterator[Activations]:
        for batch in self._batches:
            with torch.no_grad():
                activations = self._read(*given(batch, self._teacher))
            yield activations  # outside of `no_grad`, which would also affect the consumer
