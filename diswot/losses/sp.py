"""Similarity preserving (SP): match the similarities between the images of a batch.

Source: Tung and Mori, "Similarity-Preserving Knowledge Distillation", ICCV 2019,
equations 1 to 4. The relation term of the snippet in DisWOT's README is the same loss.
"""

from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from diswot.losses._maps import MapTerm, Where
from diswot.losses._registry import register
from diswot.losses._term import Card
from diswot.networks.layout import Layout
from diswot.networks.precision import at_least_single


def image_similarities(maps: Tensor) -> Tensor:
    """Return the Gram matrix of the images, with rows of length one.

    Args:
        maps: feature maps (B, C, H, W), or any tensor (B, …).

    Returns:
        Similarities (B, B).
    """
    images = at_least_single(maps).flatten(1)
    return F.normalize(images @ images.T, dim=1)


def sp_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return ‖G_T − G_S‖²/B² of the row-normalized Gram matrices of two feature maps.

    Args:
        student: feature map (B, C, H, W); gradients flow into it.
        teacher: feature map (B, …) of the same images, of any shape; no gradient flows into it.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> maps = torch.eye(2).reshape(2, 2, 1, 1)
        >>> float(sp_loss(maps, 3 * maps)), round(float(sp_loss(torch.ones(2, 8, 4, 4), maps)), 3)
        (0.0, 0.293)
    """
    return F.mse_loss(image_similarities(student), image_similarities(teacher.detach()))


@register(
    Card(
        "sp",
        "similarities between images (SP)",
        "Tung and Mori, ICCV 2019, equation 4",
        weight=3000.0,
        weight_source="script of Tian et al., CRD, ICLR 2020, with ce",
        reads=("feature maps",),
    )
)
class SP(MapTerm):
    """Sum of [`sp_loss`][diswot.losses.sp_loss] over the pairs of taps."""

    where: ClassVar[Where] = Layout.last

    compare = staticmethod(sp_loss)
