"""Random crops of streamed training images, drawn per image."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.tasks.images._augmentation import LARGE, SMALLEST_CROP

_TRIES = 10
_RATIOS = (math.log(3 / 4), math.log(4 / 3))


@dataclass(frozen=True)
class Crop:
    """A crop of a photo, in pixels; outside of the photo it is padded with black.

    Attributes:
        top: first row; negative if padded.
        left: first column; negative if padded.
        height: number of rows.
        width: number of columns.
        mirrored: whether the crop is flipped horizontally.
    """

    top: int
    left: int
    height: int
    width: int
    mirrored: bool = False

    def of(self, photo: Tensor) -> Tensor:
        """Return the crop, shape (C, height, width), of a photo."""
        tall, wide = photo.shape[1:]
        right, bottom = self.left + self.width - wide, self.top + self.height - tall
        part = F.pad(photo, (-self.left, right, -self.top, bottom))
        return part.flip(-1) if self.mirrored else part


def draw_crop(
    photo: tuple[int, int], image: tuple[int, int], generator: torch.Generator, *, flips: bool
) -> Crop:
    """Draw the crop of a photo for a training image.

    Large images are crops of random size and aspect ratio (Szegedy et al., "Going deeper with
    convolutions", CVPR 2015, section 6); small ones are center crops, shifted by up to an
    eighth of the image.

    Args:
        photo: height and width of the photo.
        image: height and width of the training image.
        generator: source of random numbers.
        flips: whether to flip with probability 1/2.
    """
    draw = _part if image[0] >= LARGE else _moved
    top, left, height, width = draw(photo, image, generator)
    mirrored = flips and float(torch.rand((), generator=generator)) < 0.5
    return Crop(top, left, height, width, mirrored)


def _part(
    photo: tuple[int, int], image: tuple[int, int], generator: torch.Generator
) -> tuple[int, int, int, int]:
    tall, wide = photo
    # Rejection sampling: draw area and aspect ratio until the crop fits into the photo.
    for _ in range(_TRIES):
        share, shape, down, across = torch.rand(4, generator=generator).tolist()
        area = tall * wide * (SMALLEST_CROP + share * (1 - SMALLEST_CROP))
        ratio = math.exp(_RATIOS[0] + shape * (_RATIOS[1] - _RATIOS[0]))
        height, width = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 0 < height <= tall and 0 < width <= wide:
            return int(down * (tall - height + 1)), int(across * (wide - width + 1)), height, width
    return _middle(photo, image)


def _moved(
    photo: tuple[int, int], image: tuple[int, int], generator: torch.Generator
) -> tuple[int, int, int, int]:
    top, left, height, width = _middle(photo, image)
    most = max(1, image[0] // 8)
    down, across = torch.randint(-most, most + 1, (2,), generator=generator).tolist()
    moved = top + round(down * height / image[0]), left + round(across * width / image[1])
    return *moved, height, width


def _middle(photo: tuple[int, int], image: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the largest center crop with the image's aspect ratio: top, left, height, width."""
    scale = min(photo[0] / image[0], photo[1] / image[1])
    height, width = (max(1, round(scale * side)) for side in image)
    return (photo[0] - height) // 2, (photo[1] - width) // 2, height, width
