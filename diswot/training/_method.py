"""How a student learns: players with a loss and an optimizer each."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.losses import Losses
from diswot.tasks import Batch, Dataset
from diswot.training._plain_batches import PlainBatches
from diswot.training._recipe import Recipe

STUDENT = "student"
"""The player that every method has."""


@dataclass(frozen=True)
class Player:
    """Parameters that are trained together, by an optimizer of their own.

    Attributes:
        parameters: what its optimizer changes.
        every: steps between two of its turns.
        recipe: of its optimizer; `None` for that of the training. Epochs are the training's.
    """

    parameters: Sequence[nn.Parameter]
    every: int = 1
    recipe: Recipe | None = None


class Method(nn.Module, ABC):
    """How a student learns.

    In every step each player takes its turn, in order: its loss is computed on the batch, and
    its optimizer changes its parameters alone. The state of the module is saved with that of
    all optimizers when a training stops, so that it resumes to the same weights: what a method
    learns must be in parameters and buffers. Teachers are no part of it, and never trained.

    Args:
        student: the network that learns.
        teachers: networks to distill from, by name.
    """

    def __init__(self, student: nn.Module, teachers: Mapping[str, nn.Module] | None = None) -> None:
        super().__init__()
        self.student = student
        self.teachers: Mapping[str, nn.Module] = dict(teachers or {})

    @property
    def viewing(self) -> Mapping[str, nn.Module]:
        """The teachers that losses give `batch.views[name]` where there is one; none by default.

        It goes to the network within the teacher, see [`OwnView`][diswot.teachers.OwnView].
        """
        return {}

    @property
    @abstractmethod
    def name(self) -> str:
        """What the training is called in messages and reports, such as its loss."""

    @property
    def settings(self) -> dict[str, Any]:
        """What trainings must have in common to be the same, as plain values."""
        return {}

    def setup(self, data: Dataset, device: str) -> None:  # noqa: ARG002
        """Move to the device, and make what depends on the data.

        Called once, before a checkpoint is loaded; after it all parameters must be there.
        """
        self.to(device)
        for teacher in self.teachers.values():
            teacher.to(device).eval()

    def prepare(self, batches: PlainBatches) -> None:
        """Do what precedes the first step: train on teachers alone, cache their outputs.

        Called at every start, after a checkpoint was loaded where there is one.
        """

    def watching(self) -> AbstractContextManager[object]:
        """Return what is open while steps are done, such as readers of activations."""
        return nullcontext()

    @abstractmethod
    def players(self) -> Mapping[str, Player]:
        """Return the players by name, in the order of their turns; one is `student`."""

    @abstractmethod
    def losses(self, player: str, batch: Batch, progress: float) -> Losses:
        """Return the loss of a player on a batch.

        Args:
            player: whose turn it is.
            batch: training examples, on the device.
            progress: share of the training that is done, from 0 to 1.
        """

    def forward(
        self, player: str, batch: Batch, progress: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss and its terms; processes exchange gradients of what is called here."""
        found = self.losses(player, batch, progress)
        return found.total, found.terms


def called(teacher: str) -> str:
    """Return what a teacher is called in messages."""
    return "the teacher" if teacher == "teacher" else f"the teacher {teacher}"


def checked_players(method: Method, steps: int) -> Mapping[str, Player]:
    """Return the players of a method that can be trained.

    Args:
        method: after its setup.
        steps: of an epoch.

    Raises:
        OptionError: one has nothing to train, or no turn in an epoch; none is the student.
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
