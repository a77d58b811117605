"""One image: what its header says, and its pixels as networks take them."""

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
"""Read whatever a file is called; any other format only by its own suffix."""

# handed to other programs or libraries (EPS to Ghostscript), or no images
_NOT_READ = frozenset(("BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "PALM", "PDF", "WMF"))
_ANIMATED = ("AVIF", "GIF", "MPO", "PNG", "TIFF", "WEBP")
_SIDEWAYS = (5, 6, 7, 8)
_ORIENTATION = 0x0112
_DEPTHS = (8, 10, 12, 14, 16)
DEEP = "of more than 8 bits"

Pixels: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class Header:
    """What is known of an image before it is converted.

    Attributes:
        height: in pixels, once it is upright.
        width: in pixels, once it is upright.
        gray: whether it has no colors.
        converted: what is special about it, of which something is changed.
        largest: the largest value of a gray image of more than 8 bits.
    """

    height: int
    width: int
    gray: bool
    converted: tuple[str, ...] = ()
    largest: int = 0


@cache
def suffixes() -> frozenset[str]:
    """Return the suffixes, in small letters, of files that are taken for images."""
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
    """Return what the header of an image file says; only of deep images the pixels are read.

    Raises:
        Exception: any, if it is no image or a damaged one.
    """
    with opened(path) as image:
        return header_of(image)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open an image file with Pillow, as one of the formats that are read.

    Raises:
        Exception: any, if it is no image or a damaged one.
    """
    from PIL import Image

    with open_file(path) as file, Image.open(file, formats=_formats(path)) as image:
        yield image


def header_of(image: Any) -> Header:
    """Return the header of an image that Pillow has opened."""
    width, height = image.size
    # asked for EXIF data that it has not met yet, a PNG is read to its end
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
    """Return the bits per pixel that the largest value of deep gray images needs.

    Cameras and scanners write 10 or 12 bits into images of 16, and others write 8.
    """
    largest = max((header.largest for header in headers), default=0)
    if largest == 0:
        return _DEPTHS[-1]
    return next(depth for depth in _DEPTHS if largest < 2**depth)


def read_image(path: Path, shape: tuple[int, int, int], *, depth: int = 16) -> Pixels:
    """Return an image file, or its first frame, as an array of `shape`; see `fitted`.

    Raises:
        Exception: any, if it is no image or a damaged one.
    """
    with opened(path) as image:
        side = 2 * max(shape[1:])
        image.draft(None, (side, side))  # a far larger JPEG is decoded at a part of its size
        return fitted(image, shape, depth=depth)


def fitted(image: Any, shape: tuple[int, int, int], *, depth: int = 16) -> Pixels:
    """Return an image of Pillow as an array (C, H, W).

    It is turned upright as its EXIF data say, laid on white where it is transparent, made
    gray (C = 1) or RGB (C = 3), shrunk or enlarged with antialiasing until its shorter
    side fits, and cropped at the center.

    Args:
        image: as Pillow has opened it.
        shape: of the array.
        depth: bits that the values of a gray image of more than 8 bits have.

    Raises:
        ValueError: its pixels have more than 16 bits, of which nobody knows the range.
    """
    from PIL import Image, ImageOps

    channels, height, width = shape
    is_deep = image.mode.startswith(("I", "F"))
    if is_deep:
        _deep_values(image)  # before its format is forgotten
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
    """Return the values of a gray image of 16 bits, which Pillow would clip.

    Raises:
        ValueError: it has others.
    """
    # of the formats that Pillow reads as numbers of 32 bits, only these cannot have more than 16
    known = image.mode.startswith("I;16") or image.format in ("PNG", "PPM")
    values = np.asarray(image)
    if image.mode == "F" or not known or values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError(
            f"its pixels are {'floats' if image.mode == 'F' else 'of 32 bits or signed'}, "
            "whose range is not known: save it with 8 or 16 bits"
        )
    return values
