"""Inter-channel correlation (ICKD): match the correlations between the channels of a map.

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
    """Return the Gram matrix of each image's channels, with rows of length one.

    Args:
        maps: feature maps (B, C, H, W).

    Returns:
        Correlations (B, C, C).
    """
    channels = at_least_single(maps).flatten(2)
    return F.normalize(channels @ channels.mT, dim=2)


def ickd_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return ‖difference‖²/C of correlations (B, C, C), averaged over images."""
    return (student - teacher).square().sum(dim=2).mean()


def ickd_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return ‖G_S − G_T‖²/C of the channels' correlations, averaged over images.

    Deviation: the paper has Gram matrices that are not normalized, and 1/C²; the authors' code
    has rows of length one, and 1/C.

    Args:
        student: feature map (B, C, H, W); gradients flow into it.
        teacher: feature map (B, C, H', W') of any resolution; no gradient flows into it.

    Returns:
        A scalar ≥ 0.

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
        "correlations between channels (ICKD)",
        "Liu et al., ICCV 2021, section 3",
        weight=2.5,
        weight_source="the authors' script, with ce",
        reads=("feature maps",),
    )
)
class ICKD(MapTerm):
    """Sum of [`ickd_loss`][diswot.losses.ickd_loss] over the pairs of taps.

    The student's maps are projected to the teacher's width by a trainable 1×1 convolution.
    """

    where: ClassVar[Where] = Layout.last
    same_width = True

    compare = staticmethod(ickd_loss)
