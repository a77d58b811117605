"""FitNets: match an intermediate feature map of the teacher.

Source: Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015, equation 3.
"""

from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from diswot.losses._maps import MapTerm, Where
from diswot.losses._registry import register
from diswot.losses._term import Card
from diswot.networks.layout import Layout
from diswot.networks.precision import at_least_single


def fitnet_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared difference of two feature maps.

    Deviations: the equation has half the sum, which grows with the size of the map; its
    regressor, which maps the student's features to the teacher's shape, is left to the caller.

    Args:
        student: feature map (B, C, H, W); gradients flow into it.
        teacher: feature map (B, C, H, W); no gradient flows into it.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> maps = torch.ones(2, 3, 4, 4)
        >>> float(fitnet_loss(maps, maps)), float(fitnet_loss(3 * maps, maps))
        (0.0, 4.0)
    """
    return F.mse_loss(at_least_single(student), at_least_single(teacher.detach()))


@register(
    Card(
        "fitnet",
        "feature map of the middle stage (FitNets)",
        "Romero et al., ICLR 2015, equation 3",
        weight=100.0,
        weight_source="script of Tian et al., CRD, ICLR 2020, with ce",
        reads=("stages",),
    )
)
class FitNet(MapTerm):
    """Sum of [`fitnet_loss`][diswot.losses.fitnet_loss] over the pairs of taps.

    The student's maps are projected to the teacher's width by a trainable 1×1 convolution.
    """

    where: ClassVar[Where] = Layout.middle
    same_width = True

    compare = staticmethod(fitnet_loss)
