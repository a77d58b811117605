"""Decoding of image files to square images of one size, with their points."""

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
"""Maximum side in pixels up to which images of one size are not resized."""

DEFAULT_SIZE = 96
"""Side in pixels to which images of several or larger sizes are resized."""

TURNED = "turned"
"""Mark in headers of images that are rotated by their EXIF data."""


def fixed_size(name: str) -> OptionError:
    """Return the error for `image_size` or `crop` of images that have a fixed size."""
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
    """Converts image files to square images of one size.

    An image is padded to a square, or cropped to a square around its points; parts outside of the
    image are black. It is then resized with antialiasing.

    Attributes:
        side: height and width of the images.
        channels: 1 if all images are gray, else 3.
        crop: margin of the crop around the points' bounding box on each side, as a share of the
            box's longer side; `None`: images are not cropped.
        depth: number of used bits of gray images with more than 8 bits.
        headers: path → header of the file.
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
        """Read the headers of all files, and infer size, channels and depth.

        Args:
            files: images with their points.
            image_size: height and width in pixels; by default that of the files if it is the same
                for all and at most `LARGEST_KEPT`, else `DEFAULT_SIZE`.
            crop: margin of the crop around the points, see the attribute; `None` for no crop.
            where: path of the folder, for messages.

        Raises:
            DataError: a file cannot be read, is rotated by EXIF data, or has points outside of
                the image.
        """
        headers = {file.path: _read(read_header, file.path) for file in files}
        for file in files:
            if TURNED in headers[file.path].converted:
                raise DataError(
                    f"{file.path} is rotated by its EXIF data, so its points are ambiguous: save "
                    f"it upright"
                )
        sizes = np.array([(h.width, h.height) for h in (headers[file.path] for file in files)])
        names = [file.name for file in files]
        check_points(np.stack([file.points for file in files]), sizes, names, where=where)
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
        for index, item in enumerate(tracked(files, progress, "decode", len(files))):
            images[index], points[index] = self._one(item)
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
