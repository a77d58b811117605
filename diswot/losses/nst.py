"""Neuron selectivity transfer (NST): match the distribution of channels' spatial patterns.

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
    """Return the spatial pattern of each channel, normalized to length one.

    Args:
        maps: feature maps (B, C, H, W).

    Returns:
        Patterns (B, C, H·W).
    """
    return F.normalize(at_least_single(maps).flatten(2), dim=2)


def nst_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the squared discrepancy of patterns (B, C, H·W), averaged over images."""
    apart = _kernel(student, student) + _kernel(teacher, teacher)
    return apart - 2 * _kernel(student, teacher)


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.mT).square().mean()


def nst_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return mean k(s, s′) + mean k(t, t′) − 2 mean k(s, t) over channels, averaged over images.

    Args:
        student: feature map (B, C, H, W); gradients flow into it.
        teacher: feature map (B, C', H, W) of any width; no gradient flows into it.

    Returns:
        A scalar ≥ 0.

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
        "spatial activation patterns of the channels of each stage (NST)",
        "Huang and Wang, arXiv 1707.01219, section 4",
        weight=50.0,
        weight_source="script of Tian et al., CRD, ICLR 2020, with ce",
        reads=("stages",),
    )
)
class NST(MapTerm):
    """Sum of [`nst_loss`][diswot.losses.nst_loss] over the pairs of stages."""

    compare = staticmethod(nst_loss)
