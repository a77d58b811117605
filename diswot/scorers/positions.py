"""Reshape feature maps, tokens and vectors to channel vectors at positions."""

from torch import Tensor
from torch.nn import functional as F


def grid(output: Tensor) -> Tensor:
    """Reshape an output to (B, C, H, W): tokens (B, T, C) to T × 1, vectors (B, C) to 1 × 1.

    Examples:
        >>> import torch
        >>> grid(torch.zeros(2, 65, 192)).shape
        torch.Size([2, 192, 65, 1])
    """
    if output.ndim == 3:
        return output.mT.unsqueeze(3)
    return output.flatten(3) if output.ndim > 3 else output.flatten(1)[:, :, None, None]


def channels(output: Tensor) -> Tensor:
    """Return the channel vectors at all positions of all images: (B·H·W, C)."""
    return grid(output).permute(0, 2, 3, 1).flatten(0, 2)


def patches(output: Tensor, height: int, width: int) -> Tensor:
    """Split an output into `height` × `width` patches, and flatten each to a row.

    If the output has s times as many positions in a direction, a patch has s of them (s is
    rounded; missing positions are zero, surplus ones are cut off).

    Args:
        output: a feature map, tokens or vectors.
        height: number of patches in the first direction.
        width: number of patches in the second direction.

    Returns:
        Rows (B·height·width, C·s·s'), with the channels of a patch concatenated.

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
