"""Feature maps, and the tokens of one."""

import math

from torch import Tensor

SPECIAL_TOKENS = 2
"""Class and distillation tokens that may stand before those of the image."""


def is_map(output: object) -> bool:
    """Return whether `output` is a feature map, or the tokens of one, of several positions."""
    if not isinstance(output, Tensor):
        return False
    return (output.ndim == 4 and output[0, 0].numel() > 1) or (
        output.ndim == 3 and output.shape[1] > 1 and output.shape[2] > 1
    )


def as_map(output: Tensor) -> Tensor:
    """Return a feature map (B, C, H, W); tokens (B, T, C) are put at their places.

    T tokens are H·W of a square image in rows, after up to two special tokens, which
    are left out; any other number of tokens is taken as T×1.

    Examples:
        >>> import torch
        >>> as_map(torch.zeros(2, 65, 192)).shape
        torch.Size([2, 192, 8, 8])
    """
    if output.ndim == 4:
        return output
    tokens = output.shape[1]
    side = math.isqrt(tokens)
    if tokens - side**2 > SPECIAL_TOKENS:
        return output.mT.unsqueeze(3)
    places: Tensor = output[:, tokens - side**2 :].mT
    return places.reshape(*places.shape[:2], side, side)
