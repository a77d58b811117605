"""Training methods: one or more players, each with its own loss and optimizer."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.losses import Losses
from diswot.tasks import Batch, Changes, Dataset, TrainingBatches
from diswot.training._plain_batches import PlainBatches
from diswot.training._recipe import Recipe

STUDENT = "student"
"""Name of the player that every method must have."""


@dataclass(frozen=True)
class Player:
    """A group of parameters with its own optimizer, such as a student or a discriminator.

    Attributes:
        parameters: the parameters that its optimizer updates.
        every: it is updated every so many steps.
        recipe: recipe of its optimizer; `None` for that of the training. Its epochs are
            ignored.
    """

    parameters: Sequence[nn.Parameter]
    every: int = 1
    recipe: Recipe | None = None


class Method(nn.Module, ABC):
    """Base class of training methods.

    In every step the players take turns in order: a player's loss is computed on the batch, and
    its optimizer updates only its parameters. Checkpoints contain the `state_dict` of the
    method and of all optimizers, so whatever a method learns must be in parameters or buffers;
    then a resumed training ends with the same weights. Teachers are not part of the state and
    are never trained.

    Args:
        student: the network to train.
        teachers: networks to distill from, by name.
    """

    def __init__(self, student: nn.Module, teachers: Mapping[str, nn.Module] | None = None) -> None:
        super().__init__()
        self.student = student
        self.teachers: Mapping[str, nn.Module] = dict(teachers or {})

    @property
    def viewing(self) -> Mapping[str, nn.Module]:
        """The teachers that get their own view of batches, `batch.views[name]`; by default none.

        The view is passed to the network inside the wrapper
        [`OwnView`][diswot.teachers.OwnView].
        """
        return {}

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the training in messages and reports, such as its loss."""

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the method, as JSON values, for the fingerprint of a training."""
        return {}

    def reading(self, data: Dataset) -> Dataset:
        """Return the dataset as the training uses it; by default `data` itself.

        Called first. A method can return one that counts what is read from it.

        Args:
            data: the dataset.
        """
        return data

    def setup(self, data: Dataset, device: str) -> None:  # noqa: ARG002
        """Move to the device, and create everything that depends on the data.

        Called once, before a checkpoint is loaded; afterwards all parameters must exist.

        Args:
            data: the dataset.
            device: torch device.
        """
        self.to(device)
        for teacher in self.teachers.values():
            teacher.to(device).eval()

    def examples_per_epoch(self, data: Dataset) -> int:
        """Return the number of examples in an epoch; by default the size of the training split.

        Args:
            data: the dataset.
        """
        return data.size("train")

    def batches(self, data: Dataset, changes: Changes, *, device: str = "cpu") -> TrainingBatches:
        """Return the source of the batches that `losses` gets; by default the training split.

        A method that trains on other examples, such as generated ones, returns its own source.

        Args:
            data: the dataset.
            changes: augmentation and mixing, for example a recipe.
            device: torch device of the batches.
        """
        return data.training(changes, device=device, teachers=self.viewing)

    def prepare(self, batches: PlainBatches) -> None:
        """Prepare the first step, for example train parts on the teachers or cache outputs.

        Called at every start, after a checkpoint was loaded if there is one.

        Args:
            batches: the training examples without augmentation.
        """

    def start_epoch(self, epoch: int, epochs: int, batches: TrainingBatches) -> None:
        """Prepare an epoch, for example select its examples; by default nothing.

        Called before the first step of every epoch, inside `watching`. It is not called again
        when an epoch is resumed in the middle, so results that its steps need must be in buffers.

        Args:
            epoch: number of the epoch, from 0.
            epochs: number of epochs of the training.
            batches: the source of batches that `batches` returned.
        """

    def epoch_values(self) -> Mapping[str, float]:
        """Return values to record for the current epoch, by column of `metrics.csv`."""
        return {}

    def watching(self) -> AbstractContextManager[object]:
        """Return a context that is entered during steps, for example to attach hooks."""
        return nullcontext()

    @abstractmethod
    def players(self) -> Mapping[str, Player]:
        """Return the players by name, in the order of their turns; one must be `student`."""

    @abstractmethod
    def losses(self, player: str, batch: Batch, progress: float) -> Losses:
        """Return the loss of a player on a batch.

        Args:
            player: name of the player whose turn it is.
            batch: training examples, on the device.
            progress: fraction of the training that is done, from 0 to 1.
        """

    def forward(
        self, player: str, batch: Batch, progress: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the total loss and its terms by name.

        Called through DistributedDataParallel, so that gradients are averaged over processes.
        """
        result = self.losses(player, batch, progress)
        return result.total, result.terms


def called(teacher: str) -> str:
    """Return the description of a teacher in messages, from its name in the task."""
    return "the teacher" if teacher == "teacher" else f"the teacher {teacher}"


def checked_players(method: Method, steps: int) -> Mapping[str, Player]:
    """Check the players of a method and return them by name.

    Args:
        method: a method after `setup`.
        steps: number of steps per epoch.

    Raises:
        OptionError: a player has no trainable parameters or no turn in an epoch, or no player
            is called `student`.
    """
    players, who = method.players(), type(method).__name__
    if STUDENT not in players:
        raise OptionError(
            f"Expected a player named {STUDENT!r} of {who}, but got {', '.join(players) or 'none'}"
        )
    for name, player in players.items():
        if not any(parameter.requires_grad for parameter in player.parameters):
            raise OptionError(
                f"Expected the player {name!r} of {who} to have parameters that can be trained, "
                "but got none: leave it out, or let gradients flow into it (requires_grad)"
            )
        if not 1 <= player.every <= steps:
            raise OptionError(
                f"Expected the player {name!r} of {who} to take a turn every 1 to {steps} steps, "
                f"the steps of an epoch, but got {player.every}"
            )
    return players
