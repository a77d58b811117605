"""Images with classes, and their normalization."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from diswot.devices import torch_threads

SCALE = 255.0
"""Divisor of pixel values before normalization."""

Pixels: TypeAlias = Mapping[str, float | tuple[float, ...]]
"""`mean` and `std` per channel, and `scale`, the divisor before."""


@dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images with their classes.

    Attributes:
        images: images, uint8 of shape (n, C, H, W).
        labels: class of each image (n,), an index in the names of its group of classes.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


class Pairs(NamedTuple):
    """Images of all classes, on which a teacher without weights is trained.

    Attributes:
        train: training images.
        val: validation images.
        test: test images.
    """

    train: LabeledImages
    val: LabeledImages
    test: LabeledImages


def pixel_statistics(images: Tensor) -> Pixels:
    """Return mean and standard deviation per channel of uint8 images (n, C, H, W)."""
    with torch_threads(1):  # sums over several threads differ in their last digits
        pixels = images.double() / SCALE
        mean = tuple(pixels.mean(dim=(0, 2, 3)).tolist())
        std = tuple(pixels.std(dim=(0, 2, 3)).clamp_min(1e-8).tolist())
    return {"mean": mean, "std": std, "scale": SCALE}


def normalized(images: Tensor, pixels: Pixels) -> Tensor:
    """Return images (n, C, H, W) normalized to float32: (x / 255 − mean) / std."""
    mean, std = (
        torch.tensor(pixels[name], device=images.device).view(-1, 1, 1) for name in ("mean", "std")
    )
    return (images.float() / SCALE - mean) / std
