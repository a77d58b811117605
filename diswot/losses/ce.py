"""Cross-entropy (CE) with the labels: the loss of training without a teacher."""

from torch import Tensor
from torch.nn import functional as F

from diswot.losses._registry import register
from diswot.losses._term import Card, Term, TrainingBatch
from diswot.networks import Activations
from diswot.networks.precision import at_least_single


def ce_loss(student: Tensor, targets: Tensor) -> Tensor:
    """Return −Σ_n p_n ln softmax(student)_n, averaged over the batch.

    Args:
        student: logits (B, N); gradients flow into them.
        targets: class probabilities p (B, N).

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> round(float(ce_loss(torch.zeros(2, 4), torch.eye(4)[:2])), 4)  # ln 4
        1.3863
    """
    return F.cross_entropy(at_least_single(student), at_least_single(targets))


@register(
    Card(
        "ce",
        "cross-entropy with the labels",
        "no paper",
        weight=1.0,
        weight_source="by convention; 0.1 with 0.9*kd",
        reads=("logits", "labels"),
        needs_teacher=False,
        least=None,
    )
)
class CrossEntropy(Term):
    """[`ce_loss`][diswot.losses.ce_loss] of the student's logits."""

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return ce_loss(student.output, batch.targets)
