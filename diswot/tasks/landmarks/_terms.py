"""Loss terms of landmarks: L2 to the true points, and KD-Loss of two teachers."""

from torch import Tensor
from torch.nn import functional as F

from diswot.errors import OptionError
from diswot.losses import (
    Card,
    LossContext,
    Positive,
    Preset,
    Term,
    TrainingBatch,
    register,
    register_preset,
)
from diswot.networks import Activations
from diswot.networks.precision import at_least_single
from diswot.tasks.landmarks._kd_loss import FIGURE, Assistance, assistive_loss, main_loss
from diswot.tasks.landmarks._landmark_data import TEACHERS

_SOURCE = "Fard and Mahoor, KD-Loss, CVIU 215:103316, 2022"


register_preset(
    "kd-loss",
    Preset(
        f"2.5*main + assist(teacher={TEACHERS[0]}) + assist(teacher={TEACHERS[1]})",
        "KD-Loss of a tough and a tolerant teacher",
    ),
)


def l2_loss(student: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error of all coordinates, a scalar.

    Args:
        student: coordinates (B, D); gradients flow into them.
        targets: coordinates (B, D).

    Examples:
        >>> import torch
        >>> float(l2_loss(torch.ones(2, 4), torch.zeros(2, 4)))
        1.0
    """
    return F.mse_loss(at_least_single(student), at_least_single(targets))


@register(
    Card(
        "l2",
        "squared distance to the true points",
        "no paper",
        weight_source="by convention",
        reads=("outputs", "targets"),
        needs_teacher=False,
        least=None,
    )
)
class L2(Term):
    """[`l2_loss`][diswot.tasks.landmarks.l2_loss] of the student's coordinates."""

    def forward(self, student: Activations, _teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss."""
        return l2_loss(student.output, batch.targets)


@register(
    Card(
        "main",
        "distance to the true points, squared if it is large (main loss of KD-Loss)",
        _SOURCE,
        weight=2.5,
        weight_source="read off the paper's figure, with two assist",
        reads=("outputs", "targets"),
        needs_teacher=False,
        least=None,
    )
)
class Main(Term):
    """[`main_loss`][diswot.tasks.landmarks.main_loss] of the student's coordinates."""

    def __init__(self, context: LossContext, *, slope: Positive = 1.0, tau: Positive = 0.5) -> None:
        super().__init__(context)
        self._constants = {"slope": slope, "tau": tau}

    def forward(self, student: Activations, _teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss."""
        ours, truth = at_least_single(student.output), at_least_single(batch.targets)
        return main_loss(ours, truth, **self._constants)


@register(
    Card(
        "assist",
        "weighted difference between the errors of student and teacher (assistive loss of KD-Loss)",
        _SOURCE,
        weight=1.0,
        weight_source="read off the paper's figure, with 2.5*main",
        reads=("outputs", "targets"),
        least=None,
    )
)
class Assist(Term):
    """[`assistive_loss`][diswot.tasks.landmarks.assistive_loss] of one teacher, by its name."""

    def __init__(
        self,
        context: LossContext,
        *,
        teacher: str = TEACHERS[0],
        kappa: Positive = FIGURE.kappa,
        positive: float = FIGURE.positive,
        negative: float = FIGURE.negative,
        ramp: bool = FIGURE.ramp,
    ) -> None:
        super().__init__(context)
        if teacher not in TEACHERS:
            raise OptionError(f"assist takes a teacher of {', '.join(TEACHERS)}, not {teacher!r}")
        self._teacher = teacher
        self._constants = Assistance(kappa, positive, negative, ramp)

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss."""
        ours, truth = at_least_single(student.output), at_least_single(batch.targets)
        # Outside of trainings there is only one teacher.
        teachers = batch.teachers or {self._teacher: teacher}
        theirs = at_least_single(teachers[self._teacher].output)
        return assistive_loss(ours, theirs, truth, constants=self._constants)
