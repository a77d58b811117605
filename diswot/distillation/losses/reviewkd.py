"""Knowledge review: each stage of the teacher teaches all the student's stages up to it.

Source: Chen, Liu, Zhao and Jia, "Distilling Knowledge via Knowledge Review", CVPR 2021,
section 3: attention-based fusion (ABF) carries the student's later maps to its earlier
ones, and the hierarchical context loss (HCL) compares with the teacher at several sizes.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.distillation.losses._precision import at_least_single

LEVELS = (4, 2, 1)
"""Heights and widths at which maps are compared besides their own."""


def reviewkd_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the hierarchical context loss of two maps: Σ_l w_l·MSE_l / Σ_l w_l.

    MSE_l is the mean squared difference of both maps average-pooled to l×l; w is 1 at
    their own resolution and halves at each smaller level of 4, 2 and 1.

    Args:
        student: fused map (B, C, H, W); gradients flow into it.
        teacher: feature map (B, C, H, W); no gradient flows into it.

    Examples:
        >>> maps = torch.ones(2, 3, 8, 8)
        >>> float(reviewkd_loss(maps, maps)), float(reviewkd_loss(3 * maps, maps))
        (0.0, 4.0)
    """
    student, teacher = at_least_single(student), at_least_single(teacher.detach())
    smaller = [level for level in LEVELS if level < min(student.shape[2:])]
    pooled = [[F.adaptive_avg_pool2d(maps, n) for n in smaller] for maps in (student, teacher)]
    pairs = [(student, teacher), *zip(*pooled, strict=True)]
    weights = [2.0**-level for level in range(len(pairs))]
    losses = [w * F.mse_loss(s, t) for w, (s, t) in zip(weights, pairs, strict=True)]
    return torch.stack(losses).sum() / sum(weights)
