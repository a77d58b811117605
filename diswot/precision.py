"""The precision in which distances between networks are computed."""

import torch
from torch import Tensor


def at_least_single(values: Tensor) -> Tensor:
    """Return `values`, half precision made single: squares and sums of it overflow at 65,504."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
