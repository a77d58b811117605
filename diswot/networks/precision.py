"""Precision and scaling of the computations in scores and losses."""

import torch
from torch import Tensor

_LARGEST_EXPONENT = 126
"""Exponent of the largest power of two whose inverse is a normal number in fp32."""


def at_least_single(values: Tensor) -> Tensor:
    """Convert half precision to fp32, because squares and sums of fp16 overflow at 65,504."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def near_one(rows: Tensor) -> Tensor:
    """Scale matrices (…, n, m) by a power of two so that their largest entries are near 1.

    Scaling by a power of two is exact. It prevents underflow: the norm of a Gram matrix has the
    fourth power of the entries, which is 0 in fp32 if they are below 1e-11, as can happen in
    networks without trained batch statistics.
    """
    largest = torch.linalg.vector_norm(rows.detach(), ord=torch.inf, dim=(-2, -1), keepdim=True)
    exponent = torch.frexp(largest).exponent.clamp(-_LARGEST_EXPONENT, _LARGEST_EXPONENT)
    return rows * torch.ldexp(torch.ones_like(largest), -exponent)
