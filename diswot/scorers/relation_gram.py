"""The relation term of the snippet in DisWOT's README."""

from torch import Tensor
from torch.nn import functional as F

from diswot.activations import Activations
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.similarity import Resolution, common_resolution, flat_images


@register(
    Card("relation_gram", "likeness of row-normalised image similarities", "DisWOT, README snippet")
)
def relation_gram(student: Activations, teacher: Activations) -> Tensor:
    """Return −Σ(G_T − G_S)²/B² of the row-normalised Gram matrices of the last feature map.

    This is the similarity-preserving loss of Tung and Mori, ICCV 2019, equation 4.
    """
    resolution = common_resolution(student, teacher)
    difference = teacher.once(_row_normalised_gram, resolution) - _row_normalised_gram(
        student, resolution
    )
    return -difference.square().mean()


def _row_normalised_gram(shown: Activations, resolution: Resolution) -> Tensor:
    images = flat_images(shown, resolution)
    return F.normalize(images @ images.T, dim=1)
