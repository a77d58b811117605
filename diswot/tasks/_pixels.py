"""Normalization of images by mean and standard deviation per channel."""

from typing import TypedDict

import torch
from torch import Tensor

from diswot.devices import torch_threads


class Pixels(TypedDict):
    """Normalization of images, as in the `facts` of signatures.

    Attributes:
        mean: mean per channel, after division by `scale`.
        std: standard deviation per channel, after division by `scale`.
        scale: divisor of pixel values before normalization, 255 for uint8.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float


def pixel_statistics(images: Tensor, *, scale: float = 255.0) -> Pixels:
    """Return the normalization of images (n, C, H, W) by their own statistics.

    They are computed in float64, for the same values on every machine.

    Examples:
        >>> pixel_statistics(torch.tensor([0.0, 255.0]).view(1, 1, 1, 2))["mean"]
        (0.5,)
    """
    with torch_threads(1):  # sums over several threads differ in their last digits
        pixels = images.double() / scale
        mean = tuple(pixels.mean(dim=(0, 2, 3)).tolist())
        std = tuple(pixels.std(dim=(0, 2, 3)).clamp_min(1e-8).tolist())
    return Pixels(mean=mean, std=std, scale=scale)


def normalized(images: Tensor, pixels: Pixels) -> Tensor:
    """Return images (n, C, H, W) normalized to float32: (x / scale − mean) / std."""
    mean, std = (
        torch.tensor(values, device=images.device).view(-1, 1, 1)
        for values in (pixels["mean"], pixels["std"])
    )
    return (images.float() / pixels["scale"] - mean) / std
