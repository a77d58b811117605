"""Variational information distillation: the teacher's maps can be told from the student's.

Source: Ahn, Hu, Damianou, Lawrence and Dai, "Variational Information Distillation for
Knowledge Transfer", CVPR 2019, section 2: a Gaussian q(t | s) whose mean is a network of
the student's map, with a variance per channel; its likelihood bounds the information
that student and teacher share.
"""

from torch import Tensor

from diswot.distillation.losses._precision import at_least_single


def vid_loss(mean: Tensor, variance: Tensor, teacher: Tensor) -> Tensor:
    """Return −ln q(t | s) = ½(ln σ²_c + (t − μ)²/σ²_c), mean over images, channels and places.

    It is lowest where σ²_c is the mean squared error of channel c, at ½(ln σ²_c + 1), so
    its minimum is no constant. The term ½ ln 2π is left out.

    Deviation: the paper prints the sum; the authors' code takes the mean.

    Args:
        mean: μ, predicted from the student's map (B, C, H, W); gradients flow into it.
        variance: σ² of each channel (C,); gradients flow into it.
        teacher: feature map (B, C, H, W); no gradient flows into it.

    Examples:
        >>> import torch
        >>> maps, variance = torch.ones(2, 3, 4, 4), torch.ones(3)
        >>> float(vid_loss(maps, variance, maps)), float(vid_loss(3 * maps, variance, maps))
        (0.0, 2.0)
    """
    spread = at_least_single(variance)[:, None, None]
    error = (at_least_single(teacher.detach()) - at_least_single(mean)).square()
    return (spread.log() + error / spread).mean() / 2
