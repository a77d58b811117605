"""Where the texts of a batch are."""

import torch
from torch import Tensor

from diswot.networks.probe import Probe


def mask_of(student: Probe) -> Tensor:
    """Return where texts are, (B, L): the mask that the student is given, else everywhere."""
    for given in student.inputs:
        if given.dtype == torch.bool and given.ndim == 2:
            return given
    return torch.ones(student.inputs[0].shape[:2], dtype=torch.bool, device=student.output.device)
