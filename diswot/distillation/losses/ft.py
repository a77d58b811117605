"""Factor transfer: the student's map, translated, is the teacher's in other words.

Source: Kim, Park and Kwak, "Paraphrasing Complex Network: Network Compression via Factor
Transfer", NeurIPS 2018, section 3: a paraphraser learns factors of the teacher's last map
by rebuilding it, before the student is trained; a translator learns the student's.
"""

from torch import Tensor
from torch.nn import functional as F

from diswot.distillation.losses._precision import at_least_single


def factors(maps: Tensor) -> Tensor:
    """Return F/‖F‖₂ of each image's factors (B, C, H, W), as (B, C·H·W)."""
    return F.normalize(at_least_single(maps).flatten(1), dim=1)


def ft_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean of |F_T/‖F_T‖₂ − F_S/‖F_S‖₂|, the loss of the paper with p = 1.

    Deviation: the paper prints the norm; the authors' code takes the mean over all
    entries, to which its weight of 500 belongs.

    Args:
        student: factors (B, C, H, W); gradients flow into them.
        teacher: factors (B, C, H, W); no gradient flows into them.

    Examples:
        >>> import torch
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> float(ft_loss(maps, 2 * maps)) < 1e-6  # the scale does not matter
        True
    """
    return F.l1_loss(factors(student), factors(teacher.detach()))
