"""Image files as square images of one size, their points with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.errors import DataError, OptionError, first_line
from diswot.progress import Progress, tracked
from diswot.tasks._image_file import Header, depth_of, opened, read_header
from diswot.tasks.landmarks._points import PIXEL_CENTER, check_points
from diswot.tasks.landmarks._square import square_around, squared

_T = TypeVar("_T")

LARGEST_KEPT = 224
"""Side up to which images of one size are taken as they are."""

DEFAULT_SIZE = 96
"""Side that images of several sizes, or of larger ones, are brought to."""

TURNED = "turned"
"""What headers say of images that are to be rotated before they are displayed."""


def fixed_size(name: str) -> OptionError:
    """Return what to raise where images that have one size already are to be brought to another."""
    return OptionError(
        f"{name} has images of one size, which are used as they are: leave image_size and crop "
        "out, or give a folder of images"
    )


class ImageFile(Protocol):
    """An image file with its points (K, 2), in pixels."""

    @property
    def path(self) -> Path: ...
    @property
    def name(self) -> str: ...
    @property
    def points(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Decoding:
    """How image files become images of one size.

    An image is taken whole, or cut to the square around its points; a square that reaches beyond
    it is filled with black. It is then brought to the size, with antialiasing.

    Attributes:
        side: height and width of the images.
        channels: 1 of gray images, 3 of images of which one has colors.
        crop: share of the longer side of the box of the points that the square reaches beyond
            it on each side; `None`: images are taken whole.
        depth: bits of gray images of more than 8 bits.
        headers: what the files' headers say, by path.
    """

    side: int
    channels: int
    crop: float | None
    depth: int
    headers: dict[Path, Header]

    @classmethod
    def of(
        cls,
        files: Sequence[ImageFile],
        *,
        image_size: int | None,
        crop: float | None,
        where: str,
    ) -> "Decoding":
        """Read the headers of all files, and find what is common to them.

        Args:
            files: images with their points.
            image_size: height and width; by default that of the files where it is the same and
                at most `LARGEST_KEPT`, else `DEFAULT_SIZE`.
            crop: share of the longer side of the points' box that the square reaches beyond it on
                each side; `None` takes images whole.
            where: the folder, for messages.

        Raises:
            DataError: a file cannot be read or is turned, or points are not inside of it.
        """
        headers = {each.path: _read(read_header, each.path) for each in files}
        for each in files:
            if TURNED in headers[each.path].converted:
                raise DataError(
                    f"{each.path} is rotated by its EXIF data, so its points are ambiguous: save "
                    f"it upright"
                )
        sizes = np.array([(h.width, h.height) for h in (headers[each.path] for each in files)])
        names = [each.name for each in files]
        check_points(np.stack([each.points for each in files]), sizes, names, where=where)
        longest = {int(size.max()) for size in sizes}
        one_size = len(longest) == 1 and crop is None and max(longest) <= LARGEST_KEPT
        side = image_size or (max(longest) if one_size else DEFAULT_SIZE)
        channels = 1 if all(header.gray for header in headers.values()) else 3
        return cls(side, channels, crop, depth_of(list(headers.values())), headers)

    def read(self, files: Sequence[ImageFile], *, progress: Progress) -> tuple[Tensor, Tensor]:
        """Return the images (n, C, side, side), uint8, and their points (n, K, 2) in pixels.

        Raises:
            DataError: a file cannot be read.
        """
        images = torch.empty(len(files), self.channels, self.side, self.side, dtype=torch.uint8)
        points = torch.empty(len(files), len(files[0].points), 2)
        for place, each in enumerate(tracked(files, progress, "decode", len(files))):
            images[place], points[place] = self._one(each)
        return images, points

    def _one(self, file: ImageFile) -> tuple[Tensor, Tensor]:
        located = file.points + PIXEL_CENTER
        square = None
        if self.crop is not None:
            low, high = located.min(axis=0), located.max(axis=0)
            square = square_around(tuple(low), tuple(high), self.crop)

        def read(path: Path) -> tuple[NDArray[np.uint8], tuple[int, int, int]]:
            with opened(path) as image:
                return squared(image, self.channels, self.side, square=square, depth=self.depth)

        pixels, (left, top, size) = _read(read, file.path)
        points = (located - [left, top]) * (self.side / size)
        return torch.from_numpy(pixels), torch.from_numpy(points)


def _read(read: Callable[[Path], _T], path: Path) -> _T:
    try:
        return read(path)
    except Exception as error:  # a damaged image can make the reader raise anything
        raise DataError(f"{path} cannot be read ({first_line(error)}): fix or remove it") from error
