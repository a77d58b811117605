"""Relational knowledge distillation (RKD): match distances and angles between images.

Source: Park, Kim, Lu and Cho, "Relational Knowledge Distillation", CVPR 2019,
sections 3.2.1 (distance) and 3.2.2 (angle).
"""

from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, Term, TrainingBatch
from diswot.networks import Activations
from diswot.networks.precision import at_least_single

Relations: TypeAlias = tuple[Tensor, Tensor]


def relations(features: Tensor) -> Relations:
    """Return the distances and angles between the images of a batch.

    Args:
        features: features (B, D).

    Returns:
        Distances (B, B), divided by the mean distance of different images; and cosines
        (B, B, B), indexed [j, i, k], of the angle at image j between images i and k. Both are 0
        if images coincide.
    """
    features = at_least_single(features)
    between = features[None] - features[:, None]
    distances = torch.linalg.vector_norm(between, dim=2)
    others = len(features) - 1
    mean = distances.sum() / max(1, len(features) * others)
    directions = between / _divisor(distances)[..., None]
    return distances / _divisor(mean), directions @ directions.mT


def _divisor(length: Tensor) -> Tensor:
    """Replace zero lengths by infinity, so that neither 0/0 nor its gradient is NaN."""
    return length.masked_fill(length == 0, torch.inf)


def rkd_distance(
    student: Relations, teacher: Relations, *, distance: float = 25.0, angle: float = 50.0
) -> Tensor:
    """Return the weighted Huber losses of two networks' distances and angles, a scalar.

    Args:
        student: distances (B, B) and cosines (B, B, B) of the student.
        teacher: distances (B, B) and cosines (B, B, B) of the teacher.
        distance: λ_D, the weight of the distances.
        angle: λ_A, the weight of the angles.
    """
    in_distance, in_angle = (F.smooth_l1_loss(s, t) for s, t in zip(student, teacher, strict=True))
    return distance * in_distance + angle * in_angle


def rkd_loss(
    student: Tensor, teacher: Tensor, *, distance: float = 25.0, angle: float = 50.0
) -> Tensor:
    """Return λ_D·(Huber loss of the distances) + λ_A·(Huber loss of the angles).

    Deviation: the paper sums over pairs and triples of images; the authors' code takes means
    over all B² and B³, for which these weights are meant.

    Args:
        student: features (B, D); gradients flow into them.
        teacher: features (B, D') of any width; no gradient flows into them.
        distance: λ_D; 25 for classification in section 4.2.
        angle: λ_A; 50 for classification in section 4.2.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> features = torch.randn(4, 3)
        >>> float(rkd_loss(features, 2 * features)) < 1e-6  # the scale does not matter
        True
    """
    reference = relations(teacher.detach())
    return rkd_distance(relations(student), reference, distance=distance, angle=angle)


@register(
    Card(
        "rkd",
        "distances and angles between the images' features (RKD)",
        "Park et al., CVPR 2019, section 3.2",
        weight=1.0,
        weight_source="script of Tian et al., CRD, ICLR 2020, with ce",
        reads=("features",),
    )
)
class RKD(Term):
    """[`rkd_loss`][diswot.losses.rkd_loss] of the features that the classifiers read."""

    reads_features = True

    def __init__(
        self, context: LossContext, *, distance: float = 25.0, angle: float = 50.0
    ) -> None:
        super().__init__(context)
        self._weights = {"distance": distance, "angle": angle}

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        return rkd_loss(student.features, teacher.features, **self._weights)
