"""DIST: match the correlations of class probabilities, per image and per class.

Source: Huang, You, Wang, Qian and Xu, "Knowledge Distillation from A Stronger Teacher",
NeurIPS 2022, section 4: 1 − Pearson correlation instead of the KL divergence.
"""

from torch import Tensor
from torch.nn import functional as F

from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, Positive, Term, TrainingBatch
from diswot.networks import Activations
from diswot.networks.precision import at_least_single


def correlation_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return 1 − ρ, averaged over rows, where ρ is the Pearson correlation of two rows.

    Args:
        student: matrix (R, C).
        teacher: matrix (R, C). For constant rows, ρ is 0.
    """
    student, teacher = (rows - rows.mean(dim=1, keepdim=True) for rows in (student, teacher))
    return 1 - F.cosine_similarity(student, teacher, dim=1).mean()


def dist_loss(
    student: Tensor,
    teacher: Tensor,
    *,
    beta: float = 1.0,
    gamma: float = 1.0,
    temperature: float = 1.0,
) -> Tensor:
    """Return T²·(β·L_inter + γ·L_intra) of the probabilities softmax(logits/T).

    L_inter is 1 − ρ between the class probabilities of an image, averaged over images; L_intra
    is 1 − ρ between the probabilities of a class across images, averaged over classes.

    Deviation: the factor T² is from the authors' code; the paper does not have it.

    Args:
        student: logits (B, N), B > 1; gradients flow into them.
        teacher: logits (B, N); no gradient flows into them.
        beta: β, the weight of the inter-class relation.
        gamma: γ, the weight of the intra-class relation.
        temperature: T; 1 on ImageNet and 4 on CIFAR-100 in the paper.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[1.0, 2.0, 4.0], [3.0, 1.0, 1.0]])
        >>> abs(float(dist_loss(logits, logits + 5))) < 1e-6
        True
    """
    ours = F.softmax(at_least_single(student) / temperature, dim=1)
    theirs = F.softmax(at_least_single(teacher.detach()) / temperature, dim=1)
    inter, intra = correlation_distance(ours, theirs), correlation_distance(ours.T, theirs.T)
    return (beta * inter + gamma * intra) * temperature**2


@register(
    Card(
        "dist",
        "correlations of the class probabilities, per image and per class (DIST)",
        "Huang et al., NeurIPS 2022, section 4",
        weight=2.0,
        weight_source="the paper's experiments (β = γ = 2), with ce",
        reads=("logits",),
    )
)
class DIST(Term):
    """[`dist_loss`][diswot.losses.dist_loss] of two networks' logits."""

    def __init__(
        self,
        context: LossContext,
        *,
        beta: Positive = 1.0,
        gamma: Positive = 1.0,
        T: Positive = 1.0,  # noqa: N803
    ) -> None:
        super().__init__(context)
        self._options = {"beta": beta, "gamma": gamma, "temperature": T}

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return dist_loss(student.output, teacher.output, **self._options)
