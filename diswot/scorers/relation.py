"""Relation similarity M_r of the DisWOT paper: similarities between images of the batch."""

from torch import Tensor

from diswot.networks import Activations
from diswot.networks.similarity import common_resolution, relation_distance, relation_similarity
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "relation",
        "agreement with the teacher's image-to-image similarities",
        "DisWOT, CVPR 2023, section 3",
        reads=("feature maps",),
    )
)
def relation(student: Activations, teacher: Activations) -> Tensor:
    """Return −M_r = −‖ Ã_T Ã_Tᵀ/‖·‖₂ − Ã_S Ã_Sᵀ/‖·‖₂ ‖₂ ≤ 0.

    Source: Dong et al., DisWOT, CVPR 2023, section 3. Ã is the last feature map, flattened to
    (B, C·H·W); the product is the (B, B) matrix of similarities between images. Maps of larger
    resolution are average-pooled to the smaller one.
    """
    resolution = common_resolution(student, teacher)
    reference = teacher.once(relation_similarity, resolution)
    return -relation_distance(relation_similarity(student, resolution), reference)
