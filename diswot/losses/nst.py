"""Neuron selectivity transfer: the same patterns of places excite the channels.

Source: Huang and Wang, "Like What You Like: Knowledge Distill via Neuron Selectivity
Transfer", arXiv 1707.01219, section 4: maximum mean discrepancy with the polynomial
kernel k(x, y) = (xᵀy + c)^d, d = 2 and c = 0.
"""

from torch import Tensor
from torch.nn import functional as F

from diswot.losses._maps import MapTerm
from diswot.losses._registry import register
from diswot.losses._term import Card
from diswot.networks.precision import at_least_single


def selectivities(maps: Tensor) -> Tensor:
    """Return the places that excite each channel, as vectors of length one.

    Args:
        maps: (B, C, H, W).

    Returns:
        Tensor of shape (B, C, H·W).
    """
    return F.normalize(at_least_single(maps).flatten(2), dim=2)


def nst_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the squared discrepancy of (B, C, H·W) selectivities, mean over the images."""
    apart = _kernel(student, student) + _kernel(teacher, teacher)
    return apart - 2 * _kernel(student, teacher)


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.mT).square().mean()


def nst_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return mean k(s, s′) + mean k(t, t′) − 2 mean k(s, t) over the channels, and images.

    Args:
        student: feature map (B, C, H, W); gradients flow into it.
        teacher: feature map (B, any, H, W); no gradient flows into it.

    Examples:
        >>> import torch
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> abs(float(nst_loss(maps, maps[:, [2, 0, 1]]))) < 1e-6  # in any order of the channels
        True
    """
    return nst_distance(selectivities(student), selectivities(teacher.detach()))


@register(
    Card(
        "nst",
        "which places excite the channels of each stage (NST)",
        "Huang and Wang, arXiv 1707.01219, section 4",
        weight=50.0,
        weight_source="Tian et al., CRD, ICLR 2020, the authors' script, with ce",
        reads=("stages",),
    )
)
class NST(MapTerm):
    """Sum of [`nst_loss`][diswot.losses.nst_loss] over the pairs of stages."""

    compare = staticmethod(nst_loss)
