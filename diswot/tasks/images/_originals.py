"""Image files of a split, read again at a larger size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from diswot.tasks._image_file import read_header, read_image


@dataclass(frozen=True)
class Originals:
    """The image files of one split.

    Attributes:
        paths: paths in the order of the split's images.
        channels: number of channels of the split's images, 1 or 3.
        depth: number of used bits of gray images with more than 8 bits.
    """

    paths: tuple[Path, ...]
    channels: int
    depth: int = 16

    def read(self, places: Sequence[int], *, least: int) -> Iterator[Tensor]:
        """Yield upright, uncropped images (C, height, width) with values in [0, 1].

        Args:
            places: indices of images in the split.
            least: shorter side in pixels to which larger images are shrunk.

        Raises:
            Exception: any, if a file was damaged or removed after the data were decoded.
        """
        for index in places:
            yield self.pixels(index, least=least).float() / 255

    def pixels(self, place: int, *, least: int) -> Tensor:
        """Return one uncropped image (C, height, width) as uint8."""
        header = read_header(self.paths[place])
        factor = min(1.0, least / min(header.height, header.width))
        sides = (max(1, round(factor * side)) for side in (header.height, header.width))
        height, width = sides
        shape = self.channels, height, width
        return torch.from_numpy(read_image(self.paths[place], shape, depth=self.depth))
