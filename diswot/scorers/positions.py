"""Outputs of all kinds as vectors of channels at positions."""

from torch import Tensor
from torch.nn import functional as F


def grid(output: Tensor) -> Tensor:
    """Return (B, C, H, W): a map itself, tokens (B, T, C) as T × 1, a vector (B, C) as 1 × 1.

    Examples:
        >>> import torch
        >>> grid(torch.zeros(2, 65, 192)).shape
        torch.Size([2, 192, 65, 1])
    """
    if output.ndim == 3:
        return output.mT.unsqueeze(3)
    return output.flatten(3) if output.ndim > 3 else output.flatten(1)[:, :, None, None]


def channels(output: Tensor) -> Tensor:
    """Return the channels at every position of every image, one row each: (B·H·W, C)."""
    return grid(output).permute(0, 2, 3, 1).flatten(0, 2)


def patches(output: Tensor, height: int, width: int) -> Tensor:
    """Return what lies at each of `height` × `width` places, one row each.

    A place of a map that has s times as many positions in a direction holds s of them,
    with their channels concatenated; s is rounded, the rest cut off or zero.

    Examples:
        >>> import torch
        >>> patches(torch.arange(16.0).reshape(1, 1, 4, 4), 2, 2)
        tensor([[ 0.,  1.,  4.,  5.],
                [ 2.,  3.,  6.,  7.],
                [ 8.,  9., 12., 13.],
                [10., 11., 14., 15.]])
    """
    images = grid(output)
    b, c, h, w = images.shape
    down, across = max(1, round(h / height)), max(1, round(w / width))
    whole = F.pad(images, (0, width * across - w, 0, height * down - h))
    places = whole.reshape(b, c, height, down, width, across).permute(0, 2, 4, 1, 3, 5)
    return places.flatten(3).flatten(0, 2)
