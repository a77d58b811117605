"""KD³: the last feature map, with a weight per image that grows with the distance of the logits.

Source: Tang et al., "Distribution Shift Matters for Knowledge Distillation with Webly Collected
Images", ICCV 2023; the weight is that of the authors' code.
"""

from typing import ClassVar

from torch import Tensor

from diswot.losses._maps import MapTerm, Where
from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, TrainingBatch
from diswot.networks import Activations
from diswot.networks.layout import Layout
from diswot.networks.precision import at_least_single


def disagreement_weights(student: Tensor, teacher: Tensor) -> Tensor:
    """Return w_i = sigmoid(‖z_S(x_i) − z_T(x_i)‖₂), from 0.5 to 1, without gradient.

    Args:
        student: logits (B, N).
        teacher: logits (B, N).

    Returns:
        Weights (B,).

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
        >>> [round(weight, 3) for weight in disagreement_weights(logits, 0 * logits).tolist()]
        [0.993, 0.5]
    """
    student, teacher = at_least_single(student.detach()), at_least_single(teacher.detach())
    return (student - teacher).square().sum(1).sqrt().sigmoid()


def kd3_loss(student: Tensor, teacher: Tensor, weights: Tensor) -> Tensor:
    """Return the mean over all entries of w_i (F_S(x_i) − F_T(x_i))².

    Args:
        student: feature map (B, C, H, W); gradients flow into it.
        teacher: feature map (B, C, H, W); no gradient flows into it.
        weights: weight of each image (B,).

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> maps, weights = torch.ones(2, 3, 4, 4), torch.tensor([0.5, 1.0])
        >>> float(kd3_loss(maps, maps, weights)), float(kd3_loss(3 * maps, maps, weights))
        (0.0, 3.0)
    """
    squares = (at_least_single(student) - at_least_single(teacher.detach())).square()
    return (weights.view(-1, 1, 1, 1) * squares).mean()


@register(
    Card(
        "kd3",
        "last feature map, weighted by the distance of the logits (KD³)",
        "Tang et al., ICCV 2023",
        weight=1.0,
        weight_source="the authors' code, without ce, for students with the teacher's classifier",
        reads=("feature maps", "logits"),
    )
)
class KD3(MapTerm):
    """Sum of [`kd3_loss`][diswot.losses.kd3_loss] over the pairs of taps.

    The student's maps are projected to the teacher's width by a trainable 1×1 convolution;
    students with the teacher's classifier already have that width.
    """

    where: ClassVar[Where] = Layout.last
    same_width = True

    def __init__(self, context: LossContext, *, weighted: bool = True) -> None:
        super().__init__(context)
        self._weighted = weighted

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        weights = disagreement_weights(student.output, teacher.output)
        if not self._weighted:
            weights = weights.new_ones(len(weights))
        pairs = self.compared(student, teacher)
        return sum((kd3_loss(*pair, weights) for pair in pairs), weights.new_zeros(()))
