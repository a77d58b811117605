"""The precision and the scale in which distances between networks are computed."""

import torch
from torch import Tensor

_LARGEST_EXPONENT = 126
"""Of the powers of two that single precision has as normal numbers, either way."""


def at_least_single(values: Tensor) -> Tensor:
    """Return `values`, half precision made single: squares and sums of it overflow at 65,504."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def near_one(rows: Tensor) -> Tensor:
    """Return (…, n, m) matrices, each times the power of two that brings its largest entry near 1.

    No digit changes. The norm of a Gram matrix has the fourth power of its rows' entries,
    which is 0 in single precision where these are below 1e-11, as in a network without
    trained statistics of its batch normalization.
    """
    largest = torch.linalg.vector_norm(rows.detach(), ord=torch.inf, dim=(-2, -1), keepdim=True)
    exponent = torch.frexp(largest).exponent.clamp(-_LARGEST_EXPONENT, _LARGEST_EXPONENT)
    return rows * torch.ldexp(torch.ones_like(largest), -exponent)
