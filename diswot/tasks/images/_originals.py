"""The image files that data were decoded from, read again at a larger size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from diswot.tasks._image_file import read_header, read_image


@dataclass(frozen=True)
class Originals:
    """The files of one split.

    Attributes:
        paths: in the order of the split's images.
        channels: 1 or 3, as the split's images have.
        depth: bits in use of gray images of more than 8 bits, as in the split's images.
    """

    paths: tuple[Path, ...]
    channels: int
    depth: int = 16

    def read(self, places: Sequence[int], *, least: int) -> Iterator[Tensor]:
        """Yield whole images (C, height, width) of values from 0 to 1, upright.

        Args:
            places: of the images in the split.
            least: length in pixels to which the shorter side of a larger image is shrunk.

        Raises:
            Exception: any, if a file was damaged or removed after the data were decoded.
        """
        for place in places:
            yield self.pixels(place, least=least).float() / 255

    def pixels(self, place: int, *, least: int) -> Tensor:
        """Return one of them as it is in its file, of values from 0 to 255, uint8."""
        header = read_header(self.paths[place])
        factor = min(1.0, least / min(header.height, header.width))
        sides = (max(1, round(factor * side)) for side in (header.height, header.width))
        height, width = sides
        shape = self.channels, height, width
        return torch.from_numpy(read_image(self.paths[place], shape, depth=self.depth))
