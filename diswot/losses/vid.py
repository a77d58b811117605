"""Variational information distillation (VID): predict the teacher's maps from the student's.

Source: Ahn, Hu, Damianou, Lawrence and Dai, "Variational Information Distillation for
Knowledge Transfer", CVPR 2019, section 2: a Gaussian q(t | s), whose mean is a small network
applied to the student's map and whose variance is learned per channel; its likelihood is a
lower bound of the mutual information of student and teacher.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.losses._maps import MapTerm
from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, Paths, TrainingBatch
from diswot.networks import Activations
from diswot.networks.precision import at_least_single

VARIANCE = 5.0
"""Initial value of σ², as in the authors' code."""

LEAST_VARIANCE = 1e-5


def vid_loss(mean: Tensor, variance: Tensor, teacher: Tensor) -> Tensor:
    """Return −ln q(t | s) = ½(ln σ²_c + (t − μ)²/σ²_c), averaged over all entries.

    The minimum, at which σ²_c is the mean squared error of channel c, is ½(ln σ²_c + 1); it is
    not a constant and can be negative. The constant ½ ln 2π is left out.

    Deviation: the paper has the sum; the authors' code takes the mean.

    Args:
        mean: μ, predicted from the student's map (B, C, H, W); gradients flow into it.
        variance: σ² of each channel (C,); gradients flow into it.
        teacher: feature map (B, C, H, W); no gradient flows into it.

    Returns:
        A scalar.

    Examples:
        >>> import torch
        >>> maps, variance = torch.ones(2, 3, 4, 4), torch.ones(3)
        >>> float(vid_loss(maps, variance, maps)), float(vid_loss(3 * maps, variance, maps))
        (0.0, 2.0)
    """
    spread = at_least_single(variance)[:, None, None]
    error = (at_least_single(teacher.detach()) - at_least_single(mean)).square()
    return (spread.log() + error / spread).mean() / 2


class Gaussian(nn.Module):
    """q(t | s) of one pair of maps: three 1×1 convolutions for μ, softplus(α_c) + ε for σ²_c.

    Args:
        own: channels of the student's map.
        other: channels of the teacher's map.
    """

    def __init__(self, own: int, other: int) -> None:
        super().__init__()
        self._mean = nn.Sequential(
            nn.Conv2d(own, other, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(other, other, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(other, other, 1, bias=False),
        )
        begin = math.log(math.expm1(VARIANCE - LEAST_VARIANCE))
        self._alpha = nn.Parameter(torch.full((other,), begin))

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return [`vid_loss`][diswot.losses.vid_loss] of two maps.

        Args:
            student: the student's map (B, own, H, W).
            teacher: the teacher's map (B, other, H, W).
        """
        variance = F.softplus(self._alpha) + LEAST_VARIANCE
        return vid_loss(self._mean(student), variance, teacher)


@register(
    Card(
        "vid",
        "likelihood of the teacher's stages, predicted from the student's stages (VID)",
        "Ahn et al., CVPR 2019, section 2",
        weight=1.0,
        weight_source="script of Tian et al., CRD, ICLR 2020, with ce",
        reads=("stages",),
        least=None,
    )
)
class VID(MapTerm):
    """Sum of [`vid_loss`][diswot.losses.vid_loss] over the pairs of stages."""

    def __init__(
        self, context: LossContext, *, student: Paths = None, teacher: Paths = None
    ) -> None:
        super().__init__(context, student=student, teacher=teacher)
        self._gaussians = nn.ModuleList(
            Gaussian(own.shape[0], other.shape[0])
            for own, other in zip(self.student_taps, self.teacher_taps, strict=True)
        )

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        pairs = zip(self._gaussians, self.maps(student, teacher), strict=True)
        losses = [gaussian(ours, theirs) for gaussian, (ours, theirs) in pairs]
        return torch.stack(losses).sum()
