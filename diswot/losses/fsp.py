"""Flow of solution procedure (FSP): match Gram matrices between an earlier and a later map.

Source: Yim, Joo, Bae and Kim, "A Gift from Knowledge Distillation: Fast Optimization,
Network Minimization and Transfer Learning", CVPR 2017, equations 1 and 2.
"""

import torch
from torch import Tensor

from diswot.losses._maps import Flow, FlowTerm
from diswot.losses._registry import register
from diswot.losses._term import Card
from diswot.networks.precision import at_least_single


def flow_matrices(first: Tensor, last: Tensor) -> Tensor:
    """Return G_ij = Σ_{s,t} F¹_{s,t,i} F²_{s,t,j} / (H·W) per image (equation 1).

    Args:
        first: earlier feature map F¹ (B, M, H, W).
        last: later feature map F² (B, N, H, W).

    Returns:
        FSP matrices (B, M, N).
    """
    first, last = at_least_single(first), at_least_single(last)
    return torch.einsum("bmhw,bnhw->bmn", first, last) / first[0, 0].numel()


def fsp_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return ‖G_T − G_S‖² of FSP matrices (B, M, N), averaged over images (equation 2)."""
    return (teacher - student).square().sum(dim=(1, 2)).mean()


def fsp_loss(student: Flow, teacher: Flow) -> Tensor:
    """Return ‖G_T − G_S‖² of the FSP matrices of two networks, averaged over images.

    Args:
        student: feature maps (B, M, H, W) and (B, N, H, W); gradients flow into them.
        teacher: feature maps (B, M, H', W') and (B, N, H', W'); no gradient flows into them.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> flow = torch.ones(2, 3, 4, 4), torch.ones(2, 5, 4, 4)
        >>> float(fsp_loss(flow, flow)), float(fsp_loss((3 * flow[0], flow[1]), flow))
        (0.0, 60.0)
    """
    first, last = teacher
    return fsp_distance(flow_matrices(*student), flow_matrices(first.detach(), last.detach()))


@register(
    Card(
        "fsp",
        "Gram matrices of the first and last feature map of each stage (FSP)",
        "Yim et al., CVPR 2017, equations 1 and 2",
        weight=50.0,
        weight_source="script of Tian et al., CRD, ICLR 2020, with ce",
        reads=("stages",),
    )
)
class FSP(FlowTerm):
    """Sum of [`fsp_loss`][diswot.losses.fsp_loss] over the stages.

    The student's maps are projected to the teacher's widths by trainable 1×1 convolutions.
    Deviation: the mean over the M·N entries of a matrix instead of the sum, so that the same
    weight fits all widths.
    """

    @staticmethod
    def compare(student: Flow, teacher: Flow) -> Tensor:
        """Return the loss of one stage, a scalar."""
        first, last = teacher
        return fsp_loss(student, teacher) / (first.shape[1] * last.shape[1])
