"""Logit standardization: KD on z-scores of logits, independent of their range.

Source: Sun, Ren, Li, Wang and Cao, "Logit Standardization in Knowledge Distillation",
CVPR 2024, section 4: the logits of every image are standardized before the softmax of KD.
"""

from torch import Tensor
from torch.nn import functional as F

from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, Positive, Term, TrainingBatch
from diswot.losses.kd import kd_loss
from diswot.networks import Activations
from diswot.networks.precision import at_least_single

EPSILON = 1e-12
"""Added to the variance, so that the gradient is finite if all logits are equal."""


def standardized(logits: Tensor) -> Tensor:
    """Standardize logits per image: (z − mean)/σ, where σ has the divisor N.

    Args:
        logits: logits z (B, N).

    Returns:
        Z-scores (B, N).

    Examples:
        >>> import torch
        >>> standardized(torch.tensor([[1.0, 3.0], [0.0, 0.5]]))
        tensor([[-1.,  1.],
                [-1.,  1.]])
    """
    return F.layer_norm(at_least_single(logits), logits.shape[1:], eps=EPSILON)


def standardized_kd_loss(student: Tensor, teacher: Tensor, *, temperature: float = 2.0) -> Tensor:
    """Return [`kd_loss`][diswot.losses.kd_loss] of standardized logits.

    Args:
        student: logits (B, N); gradients flow into them.
        teacher: logits (B, N); no gradient flows into them.
        temperature: T, in standard deviations; 2 in the paper.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[1.0, 2.0, 4.0]])
        >>> abs(float(standardized_kd_loss(logits, 3 * logits + 5))) < 1e-6  # the range is free
        True
    """
    return kd_loss(standardized(student), standardized(teacher), temperature=temperature)


@register(
    Card(
        "kd_std",
        "softened class probabilities of standardized logits (logit standardization)",
        "Sun et al., CVPR 2024, section 4",
        weight=9.0,
        weight_source="the authors' code on CIFAR-100, T = 2, with 0.1*ce",
        reads=("logits",),
    )
)
class StandardizedKD(Term):
    """[`standardized_kd_loss`][diswot.losses.standardized_kd_loss] of the logits."""

    def __init__(self, context: LossContext, *, T: Positive = 2.0) -> None:  # noqa: N803
        super().__init__(context)
        self._temperature = T

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return standardized_kd_loss(student.output, teacher.output, temperature=self._temperature)
