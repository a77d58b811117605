"""Loss terms of multi-label images: binary cross-entropy, with the labels and with a teacher."""

from torch import Tensor
from torch.nn import functional as F

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

register_preset(
    "bce-mld", Preset("bce + mld", "binary cross-entropy with the labels and with the teacher")
)


def bce_loss(student: Tensor, targets: Tensor) -> Tensor:
    """Return the binary cross-entropy, summed over labels and averaged over images.

    −Σ_k (y_k ln σ(z_k) + (1 − y_k) ln(1 − σ(z_k))). As a sum over labels, its gradient with
    respect to a logit is σ(z) − y, of the same size as that of cross-entropy.

    Args:
        student: logits z (B, labels); gradients flow into them.
        targets: 1 for labels that an image has, else 0; or probabilities y (B, labels).

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> round(float(bce_loss(torch.zeros(2, 3), torch.eye(3)[:2])), 4)  # 3 ln 2
        2.0794
    """
    logits, wanted = at_least_single(student), at_least_single(targets)
    total = F.binary_cross_entropy_with_logits(logits, wanted, reduction="sum")
    return total / len(student)


def mld_loss(student: Tensor, teacher: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Return T²·Σ_k KL(p_k ‖ q_k), averaged over images, of binary probabilities for each label.

    p_k = (σ(t_k/T), 1 − σ(t_k/T)) are those of the teacher and q_k those of the student. The
    paper has T = 1; the temperature is ours, with the factor T² as in KD.

    Source: Yang et al., "Multi-Label Knowledge Distillation", ICCV 2023, multi-label logits
    distillation (L_MLD).

    Args:
        student: logits (B, labels); gradients flow into them.
        teacher: logits t (B, labels); no gradient flows into them.
        temperature: T.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[1.0, -2.0]])
        >>> float(mld_loss(logits, logits))
        0.0
    """
    ours, theirs = (at_least_single(logits) / temperature for logits in (student, teacher.detach()))
    # Both outcomes of each label, as log probabilities that do not overflow.
    log_ours, log_theirs = (F.logsigmoid(logits) for logits in (_outcomes(ours), _outcomes(theirs)))
    divergence = F.kl_div(log_ours, log_theirs, reduction="sum", log_target=True)
    return divergence * temperature**2 / len(student)


def _outcomes(logits: Tensor) -> Tensor:
    """Return the logits of presence and absence (2, B, labels)."""
    return logits.new_tensor([1.0, -1.0]).view(2, 1, 1) * logits


@register(
    Card(
        "bce",
        "binary cross-entropy with the labels",
        "no paper",
        weight_source="by convention",
        reads=("binary logits", "label sets"),
        needs_teacher=False,
        least=None,
    )
)
class BinaryCrossEntropy(Term):
    """[`bce_loss`][diswot.tasks.images.multi_label.bce_loss] of the student's logits."""

    def forward(self, student: Activations, _teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return bce_loss(student.output, batch.targets)


@register(
    Card(
        "mld",
        "binary probabilities of each label (multi-label logits distillation)",
        "Yang et al., Multi-Label Knowledge Distillation, ICCV 2023, L_MLD",
        weight_source="by convention, with 1*bce",
        reads=("binary logits",),
    )
)
class MultiLabelDistillation(Term):
    """[`mld_loss`][diswot.tasks.images.multi_label.mld_loss] of the logits at temperature T."""

    def __init__(self, context: LossContext, *, T: Positive = 1.0) -> None:  # noqa: N803
        super().__init__(context)
        self._temperature = T

    def forward(self, student: Activations, teacher: Activations, _batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return mld_loss(student.output, teacher.output, temperature=self._temperature)
