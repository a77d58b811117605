"""Relation similarity M_r of the DisWOT paper."""

from torch import Tensor

from diswot.networks import Activations
from diswot.networks.similarity import common_resolution, relation_distance, relation_similarity
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "relation",
        "similarity of the image-to-image similarities",
        "DisWOT, CVPR 2023, section 3",
        reads=("feature maps",),
    )
)
def relation(student: Activations, teacher: Activations) -> Tensor:
    """Return −M_r = −‖ Ã_T Ã_Tᵀ/‖·‖₂ − Ã_S Ã_Sᵀ/‖·‖₂ ‖₂ ≤ 0.

    Ã is the last feature map as (B, C·H·W).
    """
    resolution = common_resolution(student, teacher)
    reference = teacher.once(relation_similarity, resolution)
    return -relation_distance(relation_similarity(student, resolution), reference)
