"""Logit standardisation: the student need not have the teacher's range of logits.

Source: Sun, Ren, Li, Wang and Cao, "Logit Standardization in Knowledge Distillation",
CVPR 2024, section 4: every image's logits become z-scores before the softmax of KD.
"""

from torch import Tensor
from torch.nn import functional as F

from diswot.distillation.losses._precision import at_least_single
from diswot.distillation.losses.kd import kd_loss

EPSILON = 1e-12
"""What is added to a variance, so that logits that are all equal have a finite gradient."""


def standardised(logits: Tensor) -> Tensor:
    """Return (z − mean)/σ of each image's logits (B, N), σ with the divisor N.

    Examples:
        >>> import torch
        >>> standardised(torch.tensor([[1.0, 3.0], [0.0, 0.5]]))
        tensor([[-1.,  1.],
                [-1.,  1.]])
    """
    return F.layer_norm(at_least_single(logits), logits.shape[1:], eps=EPSILON)


def standardised_kd_loss(student: Tensor, teacher: Tensor, *, temperature: float = 2.0) -> Tensor:
    """Return [`kd_loss`][diswot.distillation.losses.kd_loss] of standardised logits.

    Args:
        student: logits (B, N); gradients flow into them.
        teacher: logits (B, N); no gradient flows into them.
        temperature: T, in standard deviations; 2 in the paper.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[1.0, 2.0, 4.0]])
        >>> abs(float(standardised_kd_loss(logits, 3 * logits + 5))) < 1e-6  # the range is free
        True
    """
    return kd_loss(standardised(student), standardised(teacher), temperature=temperature)
