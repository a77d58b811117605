"""Knowledge distillation (KD): match softened class probabilities.

Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network",
arXiv 1503.02531, section 2.
"""

from torch import Tensor
from torch.nn import functional as F

from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, Positive, Term, TrainingBatch
from diswot.networks import Activations
from diswot.networks.precision import at_least_single


def kd_loss(student: Tensor, teacher: Tensor, *, temperature: float = 4.0) -> Tensor:
    """Return T²·KL(softmax(teacher/T) ‖ softmax(student/T)), averaged over the batch.

    Args:
        student: logits (B, N); gradients flow into them.
        teacher: logits (B, N); no gradient flows into them.
        temperature: T; the factor T² keeps the magnitude of gradients independent of T.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[1.0, 2.0, 3.0]])
        >>> float(kd_loss(logits, logits))
        0.0
    """
    log_student = F.log_softmax(at_least_single(student) / temperature, dim=1)
    log_teacher = F.log_softmax(at_least_single(teacher.detach()) / temperature, dim=1)
    divergence = F.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True)
    return divergence * temperature**2


@register(
    Card(
        "kd",
        "softened class probabilities (KD)",
        "Hinton et al., arXiv 1503.02531, section 2",
        weight=0.9,
        weight_source="script of Tian et al., CRD, ICLR 2020, with 0.1*ce",
        reads=("logits",),
    )
)
class KD(Term):
    """[`kd_loss`][diswot.losses.kd_loss] of the logits at temperature T."""

    def __init__(self, context: LossContext, *, T: Positive = 4.0) -> None:  # noqa: N803
        super().__init__(context)
        self._temperature = T

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return kd_loss(student.output, teacher.output, temperature=self._temperature)
