"""Probabilistic knowledge transfer (PKT): match neighborhoods of images as probabilities.

Source: Passalis and Tefas, "Learning Deep Representations with Probabilistic Knowledge
Transfer", ECCV 2018, section 3, with the cosine kernel.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.losses._registry import register
from diswot.losses._term import Card, Term, TrainingBatch
from diswot.networks import Activations
from diswot.networks.precision import at_least_single

LEAST = 1e-7
"""Lower bound of a similarity, so that its logarithm is finite; as in the authors' code."""


def neighbor_probabilities(features: Tensor) -> Tensor:
    """Return ln p_{j|i} for j ≠ i, where p_{j|i} = K_ij / Σ_{k≠i} K_ik and K = (cosine + 1)/2.

    Args:
        features: features (B, D).

    Returns:
        Log-probabilities (B, B − 1).
    """
    unit = F.normalize(at_least_single(features), dim=1)
    kernel = ((unit @ unit.T + 1) / 2).clamp_min(LEAST)
    images = len(features)
    different = ~torch.eye(images, dtype=torch.bool, device=features.device)
    others = kernel[different].reshape(images, images - 1)
    return (others / others.sum(dim=1, keepdim=True)).log()


def pkt_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the KL divergence, divided by B², of log-probabilities (B, B − 1)."""
    divergence = F.kl_div(student, teacher, reduction="sum", log_target=True)
    return divergence / len(student) ** 2


def pkt_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return Σ_i Σ_{j≠i} p_{j|i} ln(p_{j|i}/q_{j|i}) / B², for teacher p and student q.

    Deviation: the paper has the sum; the authors' code divides it by B².

    Args:
        student: features (B, D); gradients flow into them.
        teacher: features (B, D') of any width; no gradient flows into them.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> features = torch.randn(4, 3)
        >>> abs(float(pkt_loss(features, 2 * features))) < 1e-6  # only angles matter
        True
    """
    return pkt_distance(neighbor_probabilities(student), neighbor_probabilities(teacher.detach()))


@register(
    Card(
        "pkt",
        "neighborhoods of the images, as conditional probabilities (PKT)",
        "Passalis and Tefas, ECCV 2018, section 3",
        weight=30_000.0,
        weight_source="script of Tian et al., CRD, ICLR 2020, with ce",
        reads=("features",),
    )
)
class PKT(Term):
    """[`pkt_loss`][diswot.losses.pkt_loss] of the features that the classifiers read."""

    reads_features = True

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return pkt_loss(student.features, teacher.features)
