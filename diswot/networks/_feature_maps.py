"""Recognize feature maps, and arrange tokens as feature maps."""

import math

from torch import Tensor

SPECIAL_TOKENS = 2
"""Maximal number of class and distillation tokens before those of the image."""


def is_map(output: object) -> bool:
    """Return whether `output` is a feature map or tokens, with more than one position."""
    if not isinstance(output, Tensor):
        return False
    return (output.ndim == 4 and output[0, 0].numel() > 1) or (
        output.ndim == 3 and output.shape[1] > 1 and output.shape[2] > 1
    )


def as_map(output: Tensor) -> Tensor:
    """Return a feature map (B, C, H, W); tokens (B, T, C) are arranged as a map.

    If T is a square number plus up to two special tokens, the special tokens are dropped and
    the others are the rows of a square map; otherwise the map is T×1.

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
