"""Fields of landmark data."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from diswot.tasks._examples import SplitName
from diswot.tasks._pixels import Pixels, normalized, pixel_statistics
from diswot.tasks._source import Source
from diswot.tasks.landmarks._error import Normalizer


@dataclass(frozen=True, eq=False)
class LandmarkSplit:
    """Images with K points each.

    Attributes:
        images: images, uint8 of shape (n, C, H, W).
        points: x and y in pixels, shape (n, K, 2); (0, 0) is the upper left corner of the image,
            (0.5, 0.5) the center of its first pixel.
        persons: number of each image's person, shape (n,); `None` if unknown.
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
    """Images, points and normalization of a landmark dataset.

    [`LandmarkData`][diswot.tasks.landmarks.LandmarkData] documents the fields, and implements
    the `Dataset` interface.
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
        """Number of points of each image."""
        return self.train.points.shape[1]

    @cached_property
    def pixels(self) -> Pixels:
        """Mean and standard deviation per channel of the training images, after division by 255."""
        return pixel_statistics(self.train.images)

    def split(self, name: SplitName) -> LandmarkSplit:
        """Return the images and points of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def normalize(self, images: Tensor) -> Tensor:
        """Return images (n, C, H, W) normalized to float32: (x / 255 − mean) / std."""
        return normalized(images, self.pixels)

    def coordinates(self, points: Tensor) -> Tensor:
        """Convert points (n, K, 2) in pixels to normalized coordinates (n, 2K) in [−0.5, 0.5]."""
        _, height, width = self.shape
        return (points / points.new_tensor([width, height]) - 0.5).flatten(1)
