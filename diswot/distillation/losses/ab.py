"""Activation boundaries: the student's neurons are on where the teacher's are, and off likewise.

Source: Heo, Lee, Yun and Choi, "Knowledge Transfer via Distillation of Activation
Boundaries Formed by Hidden Neurons", AAAI 2019: the alternative loss with a margin, which
can be differentiated, in place of the count of neurons that differ.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.distillation.losses._precision import at_least_single


def ab_loss(student: Tensor, teacher: Tensor, *, margin: float = 1.0) -> Tensor:
    """Return Σ max(0, μ ∓ s)² over the neurons, − where the teacher's is on, mean over images.

    It is 0 where every neuron of the student is on the teacher's side by μ or more, not
    where both are equal: what is learned is the sign alone.

    Args:
        student: values before the activation (B, C, H, W); gradients flow into them.
        teacher: the same, of this shape; no gradient flows into them.
        margin: μ.

    Examples:
        >>> teacher = torch.tensor([[0.1, -0.1]])
        >>> float(ab_loss(20 * teacher, teacher)), round(float(ab_loss(teacher, teacher)), 2)
        (0.0, 1.62)
    """
    towards = torch.where(teacher.detach() > 0, 1, -1)
    short = F.relu(margin - towards * at_least_single(student))
    return short.square().flatten(1).sum(dim=1).mean()
