"""Images with points, and all that is known of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from diswot.devices import torch_threads
from diswot.tasks._examples import SplitName
from diswot.tasks._source import Source
from diswot.tasks.landmarks._error import Normalizer

SCALE = 255.0
"""What pixel values are divided by before they are standardized."""


@dataclass(frozen=True, eq=False)
class LandmarkSplit:
    """Images with K points each.

    Attributes:
        images: (n, C, H, W), uint8.
        points: (n, K, 2), x and y in pixels: the upper left corner of the image is (0, 0), the
            center of its first pixel (0.5, 0.5).
        persons: (n,) a number for each person; `None` where nobody knows.
    """

    images: Tensor
    points: Tensor
    persons: Tensor | None = None

    def __len__(self) -> int:
        return len(self.points)

    def take(self, indices: Tensor) -> "LandmarkSplit":
        """Return the images at `indices`, with their points."""
        persons = None if self.persons is None else self.persons[indices]
        return LandmarkSplit(self.images[indices], self.points[indices], persons)


@dataclass(frozen=True, eq=False)
class LandmarkImages:
    """What a dataset of landmarks holds, and how networks take and return it.

    See [`LandmarkData`][diswot.tasks.landmarks.LandmarkData], which adds what the rest of the
    library asks of a dataset.
    """

    name: str
    train: LandmarkSplit
    val: LandmarkSplit
    test: LandmarkSplit
    normalizer: Normalizer
    mirror: tuple[int, ...] | None = None
    rows: bool = False
    crop: float | None = None
    notes: tuple[str, ...] = ()
    source: Source | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def num_points(self) -> int:
        """Points of each image."""
        return self.train.points.shape[1]

    @cached_property
    def pixels(self) -> Mapping[str, float | tuple[float, ...]]:
        """Mean and deviation of each channel of the training images, after division by 255."""
        with torch_threads(1):  # sums over several threads differ in their last digits
            pixels = self.train.images.double() / SCALE
            mean = tuple(pixels.mean(dim=(0, 2, 3)).tolist())
            std = tuple(pixels.std(dim=(0, 2, 3)).clamp_min(1e-8).tolist())
        return {"mean": mean, "std": std, "scale": SCALE}

    def split(self, name: SplitName) -> LandmarkSplit:
        """Return the images and points of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def normalize(self, images: Tensor) -> Tensor:
        """Return images (n, C, H, W) as networks take them: float32, standardized."""
        mean, std = (
            torch.tensor(self.pixels[name], device=images.device).view(-1, 1, 1)
            for name in ("mean", "std")
        )
        return (images.float() / SCALE - mean) / std

    def coordinates(self, points: Tensor) -> Tensor:
        """Return points (n, K, 2) in pixels as networks return them: (n, 2K)."""
        _, height, width = self.shape
        return (points / points.new_tensor([width, height]) - 0.5).flatten(1)
