"""Activation boundaries: the student's neurons are active where the teacher's are, and only there.

Source: Heo, Lee, Yun and Choi, "Knowledge Transfer via Distillation of Activation
Boundaries Formed by Hidden Neurons", AAAI 2019: the alternative loss with a margin, which
can be differentiated, in place of the count of neurons that differ.
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
    """Return Σ max(0, μ ∓ s)² over the neurons, − where the teacher's is on, mean over images.

    It is 0 where every neuron of the student is on the teacher's side by μ or more, not
    where both are equal: what is learned is the sign alone.

    Args:
        student: values before the activation (B, C, H, W); gradients flow into them.
        teacher: the same, of this shape; no gradient flows into them.
        margin: μ.

    Examples:
        >>> teacher = torch.tensor([[0.1, -0.1]])
        >>> float(ab_loss(20 * teacher, teacher)), round(float(ab_loss(teacher, teacher)), 2)
        (0.0, 1.62)
    """
    towards = torch.where(teacher.detach() > 0, 1, -1)
    short = F.relu(margin - towards * at_least_single(student))
    return short.square().flatten(1).sum(dim=1).mean()


def connector(own: int, other: int) -> nn.Sequential:
    """Return a normalized 1×1 convolution, whose results are on either side of 0."""
    return nn.Sequential(nn.Conv2d(own, other, 1, bias=False), nn.BatchNorm2d(other))


@register(
    Card(
        "ab",
        "on which side of 0 neurons are before the activation, stage by stage (AB)",
        "Heo et al., AAAI 2019",
        weight=0.003,
        weight_source="the authors' code on CIFAR-10, which trains with it alone before the labels",
        reads=("stages",),
        least=None,
    )
)
class ActivationBoundaries(MapTerm):
    """Sum of [`ab_loss`][diswot.losses.ab_loss]; an earlier stage counts half.

    The taps are moved before the activation function that the module ends in. Where that
    is no module of its own they stay, which is the same for the teacher (an output above 0
    is an input above 0); the student's connector makes values of either sign.

    Deviation: it is one term among others all the time; the paper trains with it first,
    and with labels thereafter. The connector stands also between maps of one width, where
    the authors' code has none.

    In addition to the taps, the option `margin` is μ.
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
        """Return the loss."""
        pairs = zip(self._connectors, self.maps(student, teacher), strict=True)
        losses = [
            ab_loss(connect(ours), theirs, margin=self._margin) for connect, (ours, theirs) in pairs
        ]
        weights = [2.0**-later for later in reversed(range(len(losses)))]
        return torch.stack([w * loss for w, loss in zip(weights, losses, strict=True)]).sum()
