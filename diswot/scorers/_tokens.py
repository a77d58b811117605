"""The padding mask of a batch of texts."""

import torch
from torch import Tensor

from diswot.networks.probe import Probe


def mask_of(student: Probe) -> Tensor:
    """Return the padding mask (B, L), true at tokens of the text.

    It is the first boolean input of two dimensions; without one, all positions are tokens.
    """
    for given in student.inputs:
        if given.dtype == torch.bool and given.ndim == 2:
            return given
    return torch.ones(student.inputs[0].shape[:2], dtype=torch.bool, device=student.output.device)
