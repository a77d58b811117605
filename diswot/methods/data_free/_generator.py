"""A generator of images from random vectors."""

import math

from torch import Tensor, nn

WIDTHS = (128, 64)
"""Channels of the feature maps at a quarter and at half of the resolution."""


class ImageGenerator(nn.Module):
    """Maps random vectors to normalized images.

    A linear layer, then two blocks of upsampling and a 3×3 convolution, as in DAFL's and ZSKT's
    generators. The last batch normalization gives every channel mean 0 and variance 1, as
    normalized training images have.

    Source: Chen et al., "Data-Free Learning of Student Networks", ICCV 2019; Micaelli and
    Storkey, "Zero-shot Knowledge Transfer via Adversarial Belief Matching", NeurIPS 2019.

    Args:
        shape: channels, height and width of the images.
        latent: size of the random vectors.

    Examples:
        >>> import torch
        >>> ImageGenerator((3, 32, 32), latent=16)(torch.zeros(4, 16)).shape
        torch.Size([4, 3, 32, 32])
    """

    def __init__(self, shape: tuple[int, int, int], *, latent: int) -> None:
        super().__init__()
        channels, height, width = shape
        first, second = WIDTHS
        quarter, half = ((math.ceil(height / part), math.ceil(width / part)) for part in (4, 2))
        self.project = nn.Linear(latent, first * quarter[0] * quarter[1])
        self.layers = nn.Sequential(
            nn.Unflatten(1, (first, *quarter)),
            nn.BatchNorm2d(first),
            nn.Upsample(half),
            nn.Conv2d(first, first, 3, padding=1),
            nn.BatchNorm2d(first),
            nn.LeakyReLU(0.2),
            nn.Upsample((height, width)),
            nn.Conv2d(first, second, 3, padding=1),
            nn.BatchNorm2d(second),
            nn.LeakyReLU(0.2),
            nn.Conv2d(second, channels, 3, padding=1),
            nn.BatchNorm2d(channels, affine=False),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """Return images (B, C, H, W) for random vectors (B, latent)."""
        images: Tensor = self.layers(self.project(vectors))
        return images
