"""Read one image file: its header, and its pixels in a given shape."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diswot.files import open_file

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Formats that are detected by content; other formats are only read by their suffix."""

# Formats that Pillow passes to other programs (EPS to Ghostscript), or that are not images.
_NOT_READ = frozenset(("BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "PALM", "PDF", "WMF"))
_ANIMATED = ("AVIF", "GIF", "MPO", "PNG", "TIFF", "WEBP")
_SIDEWAYS = (5, 6, 7, 8)
_ORIENTATION = 0x0112
_DEPTHS = (8, 10, 12, 14, 16)
DEEP = "of more than 8 bits"

Pixels: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class Header:
    """Properties of an image before it is converted.

    Attributes:
        height: height in pixels, after rotation by its EXIF orientation.
        width: width in pixels, after rotation by its EXIF orientation.
        gray: whether it is a grayscale image.
        converted: properties that the conversion changes, such as "transparent".
        largest: largest value of a gray image of more than 8 bits, else 0.
    """

    height: int
    width: int
    gray: bool
    converted: tuple[str, ...] = ()
    largest: int = 0


@cache
def suffixes() -> frozenset[str]:
    """Return the suffixes, in lower case, of files that are read as images."""
    return frozenset(_format_by_suffix())


@cache
def _format_by_suffix() -> dict[str, str]:
    from PIL import Image

    return {
        suffix.lower(): name
        for suffix, name in Image.registered_extensions().items()
        if (name in Image.OPEN or name == "MPO") and name not in _NOT_READ
    }


def _formats(path: Path) -> tuple[str, ...]:
    own = _format_by_suffix().get(path.suffix.lower(), "JPEG")
    return (*_FORMATS, "JPEG" if own == "MPO" else own)


def read_header(path: Path) -> Header:
    """Read the header of an image file; pixels are only read for more than 8 bits.

    Raises:
        Exception: anything, if the file is not an image or is damaged.
    """
    with opened(path) as image:
        return header_of(image)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open an image file with Pillow, restricted to the formats above.

    Raises:
        Exception: anything, if the file is not an image or is damaged.
    """
    from PIL import Image, UnidentifiedImageError

    with open_file(path) as file:
        try:
            image = Image.open(file, formats=_formats(path))
        except UnidentifiedImageError as error:  # whose message names the open file
            raise UnidentifiedImageError("it is not an image") from error
        with image:
            yield image


def header_of(image: Any) -> Header:
    """Return the header of an image that Pillow has opened."""
    width, height = image.size
    # Pillow would read a PNG to its end to look for EXIF data.
    tags = image.getexif() if image.format == "TIFF" or "exif" in image.info else {}
    orientation = tags.get(_ORIENTATION, 1)
    if orientation in _SIDEWAYS:
        width, height = height, width
    deep_color = ";16" in str([tile[3] for tile in getattr(image, "tile", ())])
    kinds = {
        DEEP: image.mode.startswith("I") or deep_color,
        "of CMYK": image.mode == "CMYK",
        "transparent": image.has_transparency_data,
        "turned": orientation in range(2, 9),
        "of several frames": image.format in _ANIMATED and getattr(image, "is_animated", False),
    }
    return Header(
        height,
        width,
        image.mode[0] in "1LIF" and image.mode != "LAB",
        tuple(kind for kind, holds in kinds.items() if holds),
        int(_deep_values(image).max()) if image.mode.startswith("I") else 0,
    )


def depth_of(headers: Sequence[Header]) -> int:
    """Return the bits per pixel that 16-bit grayscale images actually use.

    Cameras and scanners often store 8, 10 or 12 bits in 16-bit files.

    Args:
        headers: headers of all images of a dataset.
    """
    largest = max((header.largest for header in headers), default=0)
    if largest == 0:
        return _DEPTHS[-1]
    return next(depth for depth in _DEPTHS if largest < 2**depth)


def read_image(path: Path, shape: tuple[int, int, int], *, depth: int = 16) -> Pixels:
    """Read an image file, or its first frame, as an array of `shape`.

    Args:
        path: the file.
        shape: channels (1 or 3), height and width; the image is resized and cropped, see
            `fitted`.
        depth: bits per pixel of grayscale images of more than 8 bits.

    Raises:
        Exception: anything, if the file is not an image or is damaged.
    """
    with opened(path) as image:
        side = 2 * max(shape[1:])
        image.draft(None, (side, side))  # decode a much larger JPEG at reduced size
        return fitted(image, shape, depth=depth)


def fitted(image: Any, shape: tuple[int, int, int], *, depth: int = 16) -> Pixels:
    """Convert an image of Pillow to an array (C, H, W).

    The image is rotated by its EXIF orientation, put on a white background if it is
    transparent, converted to grayscale (C = 1) or RGB (C = 3), resized with antialiasing so that
    its shorter side fits, and center-cropped.

    Args:
        image: an image opened with Pillow.
        shape: channels, height and width of the array.
        depth: bits per pixel of a grayscale image of more than 8 bits.

    Raises:
        ValueError: its pixels have more than 16 bits, so that their range is not known.
    """
    from PIL import Image, ImageOps

    channels, height, width = shape
    is_deep = image.mode.startswith(("I", "F"))
    if is_deep:
        _deep_values(image)  # check the range before transposing, which drops the format
    image = ImageOps.exif_transpose(image)
    if is_deep:
        values = np.asarray(image).astype(np.uint32)
        image = Image.fromarray((values * 255 // (2**depth - 1)).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), method=Image.Resampling.BILINEAR)
    pixels = np.array(image, dtype=np.uint8).reshape(height, width, channels)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _deep_values(image: Any) -> NDArray[Any]:
    """Return the values of a 16-bit grayscale image, which Pillow's conversion would clip.

    Raises:
        ValueError: the values do not fit into 16 bits, or are floating point.
    """
    # Of the formats that Pillow reads as 32-bit integers, only these have at most 16 bits.
    known = image.mode.startswith("I;16") or image.format in ("PNG", "PPM")
    values = np.asarray(image)
    if image.mode == "F" or not known or values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError(
            f"its pixels are {'floats' if image.mode == 'F' else 'of 32 bits or signed'}, "
            "whose range is not known: save it with 8 or 16 bits"
        )
    return values
