"""Correlation congruence (CC): match the correlations between the images of a batch.

Source: Peng et al., "Correlation Congruence for Knowledge Distillation", ICCV 2019,
section 3: the Gaussian radial basis function as a Taylor series of order 2, γ = 0.4.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.losses._registry import register
from diswot.losses._term import Card, Term, TrainingBatch
from diswot.networks import Activations
from diswot.networks.precision import at_least_single

GAMMA = 0.4
ORDER = 2


def image_correlations(features: Tensor, *, gamma: float = GAMMA, order: int = ORDER) -> Tensor:
    """Return Σ_{p ≤ order} exp(−2γ)·(2γ)^p/p!·(f_i·f_j)^p for all pairs of images.

    This is the Taylor series of exp(−γ‖f_i − f_j‖²) for features of length one.

    Args:
        features: features (B, D), which are normalized to length one.
        gamma: γ of the radial basis function.
        order: highest power of the series.

    Returns:
        Correlations (B, B).
    """
    unit = F.normalize(at_least_single(features), dim=1)
    cosine = unit @ unit.T
    powers = [(2 * gamma) ** p / math.factorial(p) * cosine**p for p in range(order + 1)]
    return math.exp(-2 * gamma) * torch.stack(powers).sum(dim=0)


def cc_loss(
    student: Tensor, teacher: Tensor, *, gamma: float = GAMMA, order: int = ORDER
) -> Tensor:
    """Return ‖ψ_T − ψ_S‖²/B², where ψ are the correlations between images.

    Args:
        student: features (B, D); gradients flow into them.
        teacher: features (B, D') of any width; no gradient flows into them.
        gamma: γ of the radial basis function.
        order: highest power of its Taylor series.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> features = torch.eye(2)
        >>> float(cc_loss(features, 3 * features)), float(cc_loss(torch.ones(2, 5), features)) > 0
        (0.0, True)
    """
    reference = image_correlations(teacher.detach(), gamma=gamma, order=order)
    return F.mse_loss(image_correlations(student, gamma=gamma, order=order), reference)


@register(
    Card(
        "cc",
        "correlations between the images' features (CC)",
        "Peng et al., ICCV 2019, section 3",
        weight=100.0,
        weight_source="script of Knowledge-Distillation-Zoo, which has the same formula, with ce",
        reads=("features",),
    )
)
class CC(Term):
    """[`cc_loss`][diswot.losses.cc_loss] of the features that the classifiers read."""

    reads_features = True

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return cc_loss(student.features, teacher.features)
