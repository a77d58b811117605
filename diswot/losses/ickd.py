"""Inter-channel correlation: channels that go together in the teacher do so in the student.

Source: Liu et al., "Exploring Inter-Channel Correlation for Diversity-Preserved
Knowledge Distillation", ICCV 2021, section 3 (ICKD-C, for classification).
"""

from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from diswot.losses._maps import MapTerm, Where
from diswot.losses._registry import register
from diswot.losses._term import Card
from diswot.networks.layout import Layout
from diswot.networks.precision import at_least_single


def channel_correlations(maps: Tensor) -> Tensor:
    """Return the Gram matrix of each image's channels, its rows of length one.

    Args:
        maps: (B, C, H, W).

    Returns:
        Tensor of shape (B, C, C).
    """
    channels = at_least_single(maps).flatten(2)
    return F.normalize(channels @ channels.mT, dim=2)


def ickd_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the squared difference of (B, C, C) correlations over C, mean over the images."""
    return (student - teacher).square().sum(dim=2).mean()


def ickd_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return ‖G_S − G_T‖²/C of the channels' correlations, mean over the images.

    Deviation: the paper prints plain Gram matrices and 1/C²; the authors' code has rows
    of length one and 1/C.

    Args:
        student: feature map (B, C, H, W); gradients flow into it.
        teacher: feature map (B, C, any, any); no gradient flows into it.

    Examples:
        >>> import torch
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> float(ickd_loss(maps, maps)), float(ickd_loss(maps, maps[:, [2, 0, 1]])) > 0
        (0.0, True)
    """
    return ickd_distance(channel_correlations(student), channel_correlations(teacher.detach()))


@register(
    Card(
        "ickd",
        "correlations among the channels (ICKD)",
        "Liu et al., ICCV 2021, section 3",
        weight=2.5,
        weight_source="the authors' script, with ce",
        reads=("feature maps",),
    )
)
class ICKD(MapTerm):
    """Sum of [`ickd_loss`][diswot.losses.ickd_loss] over the pairs of taps.

    The student's maps are projected to the teacher's width.
    """

    where: ClassVar[Where] = Layout.last
    same_width = True

    compare = staticmethod(ickd_loss)
