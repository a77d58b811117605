"""Attention transfer (AT): match spatial attention maps of student and teacher.

Source: Zagoruyko and Komodakis, "Paying More Attention to Attention", ICLR 2017,
equation 2, with the activation-based attention map F²_sum of section 3.1.
"""

from torch import Tensor
from torch.nn import functional as F

from diswot.losses._maps import MapTerm
from diswot.losses._registry import register
from diswot.losses._term import Card
from diswot.networks.precision import at_least_single


def attention_maps(maps: Tensor) -> Tensor:
    """Return Q/‖Q‖₂ per image, where Q is the mean of |A|² over channels.

    Args:
        maps: feature maps A (B, C, H, W).

    Returns:
        Attention maps (B, H·W) of norm 1.
    """
    return F.normalize(at_least_single(maps).square().mean(dim=1).flatten(1), dim=1)


def at_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared difference of the attention maps of two feature maps.

    Deviation: the equation has the norm of each image's difference; the authors' code takes
    the mean square, for which their weight of 1000 is meant.

    Args:
        student: feature map (B, C, H, W); gradients flow into it.
        teacher: feature map (B, C', H, W) of any width; no gradient flows into it.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> float(at_loss(maps, maps[:, [2, 0, 1]])) < 1e-12  # in any order of the channels
        True
    """
    return F.mse_loss(attention_maps(student), attention_maps(teacher.detach()))


@register(
    Card(
        "at",
        "spatial attention maps of each stage (AT)",
        "Zagoruyko and Komodakis, ICLR 2017, equation 2",
        weight=1000.0,
        weight_source="script of Tian et al., CRD, ICLR 2020, with ce",
        reads=("stages",),
    )
)
class AT(MapTerm):
    """Sum of [`at_loss`][diswot.losses.at_loss] over the pairs of stages."""

    compare = staticmethod(at_loss)
