"""Activation boundaries (AB): the student's neurons are active exactly where the teacher's are.

Source: Heo, Lee, Yun and Choi, "Knowledge Transfer via Distillation of Activation
Boundaries Formed by Hidden Neurons", AAAI 2019: the differentiable loss with a margin, which
replaces the count of neurons that differ.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.losses._maps import MapTerm
from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, Paths, Positive, TrainingBatch
from diswot.networks import Activations
from diswot.networks.layout import Tap
from diswot.networks.precision import at_least_single


def ab_loss(student: Tensor, teacher: Tensor, *, margin: float = 1.0) -> Tensor:
    """Return the sum over neurons of max(0, μ − s·sign(t))², averaged over images.

    The loss is 0 if every pre-activation s of the student has the sign of the teacher's t and
    a magnitude of at least μ; only signs are learned, so equal values do not give 0.

    Args:
        student: pre-activations of the student (B, C, H, W); gradients flow into them.
        teacher: pre-activations of the teacher (B, C, H, W); no gradient flows into them.
        margin: μ.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> teacher = torch.tensor([[0.1, -0.1]])
        >>> float(ab_loss(20 * teacher, teacher)), round(float(ab_loss(teacher, teacher)), 2)
        (0.0, 1.62)
    """
    towards = torch.where(teacher.detach() > 0, 1, -1)
    short = F.relu(margin - towards * at_least_single(student))
    return short.square().flatten(1).sum(dim=1).mean()


def connector(own: int, other: int) -> nn.Sequential:
    """Return a 1×1 convolution with batch normalization, whose outputs have either sign.

    Args:
        own: channels of the student's map.
        other: channels of the teacher's map.
    """
    return nn.Sequential(nn.Conv2d(own, other, 1, bias=False), nn.BatchNorm2d(other))


@register(
    Card(
        "ab",
        "signs of the pre-activations of each stage (AB)",
        "Heo et al., AAAI 2019",
        weight=0.003,
        weight_source="the authors' code on CIFAR-10, where it is trained alone, before the labels",
        reads=("stages",),
        least=None,
    )
)
class ActivationBoundaries(MapTerm):
    """Sum of [`ab_loss`][diswot.losses.ab_loss] over stages, halved with each earlier stage.

    Maps are read before the activation function at the end of a stage, if it is a module.
    Otherwise they are read after it, which makes no difference for the teacher's signs; the
    student's connector has outputs of either sign.

    Deviations: the term is used together with others during the whole training; the paper
    first trains with it alone, then with labels. The connector is used even if the widths
    agree, where the authors' code has none.

    Options: `student` and `teacher` name the layers, and `margin` is μ.
    """

    def __init__(
        self,
        context: LossContext,
        *,
        student: Paths = None,
        teacher: Paths = None,
        margin: Positive = 1.0,
    ) -> None:
        super().__init__(context, student=student, teacher=teacher)
        self._margin = margin
        self._connectors = nn.ModuleList(
            connector(own.shape[0], other.shape[0])
            for own, other in zip(self.student_taps, self.teacher_taps, strict=True)
        )

    def _pairs(
        self, context: LossContext, student: Sequence[str], teacher: Sequence[str]
    ) -> list[tuple[Tap, Tap]]:
        before = context.student.before_activation, context.teacher.before_activation
        pairs = super()._pairs(context, student, teacher)
        return [(before[0](own), before[1](other)) for own, other in pairs]

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the weighted sum over stages, a scalar."""
        pairs = zip(self._connectors, self.maps(student, teacher), strict=True)
        losses = [
            ab_loss(connect(ours), theirs, margin=self._margin) for connect, (ours, theirs) in pairs
        ]
        weights = [2.0**-later for later in reversed(range(len(losses)))]
        return torch.stack([w * loss for w, loss in zip(weights, losses, strict=True)]).sum()
