"""Semantic similarity M_s of the DisWOT paper: similarity of class activation maps."""

from torch import Tensor

from diswot.networks import Activations
from diswot.networks.similarity import common_resolution, semantic_distance, semantic_similarity
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "semantic",
        "agreement with the teacher's class activation maps",
        "DisWOT, CVPR 2023, section 3",
        reads=("feature maps", "classifier weights"),
    )
)
def semantic(student: Activations, teacher: Activations) -> Tensor:
    """Return −M_s = −‖ G_T G_Tᵀ/‖·‖₂ − G_S G_Sᵀ/‖·‖₂ ‖₂, averaged over the classes; ≤ 0.

    Source: Dong et al., DisWOT, CVPR 2023, section 3. G (B, H·W) holds the class activation
    maps of one class, one row per image. How the paper's equation is interpreted is described
    in `diswot.networks.similarity`.
    """
    resolution = common_resolution(student, teacher)
    reference = teacher.once(semantic_similarity, resolution)
    return -semantic_distance(semantic_similarity(student, resolution), reference)
