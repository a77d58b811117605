"""One picture: what its header tells, and its pixels as networks take them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Of files that are taken for images, in small or capital letters."""

# Pillow knows more, of which some are handed to other programs (EPS to Ghostscript).
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_SIDEWAYS = (5, 6, 7, 8)
_ORIENTATION = 0x0112

Pixels: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class Header:
    """Height and width of a picture held upright, and whether it has no colours."""

    height: int
    width: int
    grey: bool


def read_header(path: Path) -> Header:
    """Return what the header of an image file tells; the pixels are not read.

    Raises:
        Exception: any, if it is no image or a damaged one.
    """
    from PIL import Image

    with Image.open(path, formats=_FORMATS) as image:
        return header_of(image)


def header_of(image: Any) -> Header:
    """Return the header of a picture that Pillow has opened."""
    width, height = image.size
    # asked for EXIF data that it has not met yet, a PNG is read to its end
    told = image.getexif() if image.format == "TIFF" or "exif" in image.info else {}
    if told.get(_ORIENTATION) in _SIDEWAYS:
        width, height = height, width
    return Header(height, width, image.mode[0] in "1LIF" and image.mode != "LAB")


def read_picture(path: Path, shape: tuple[int, int, int]) -> Pixels:
    """Return an image file, or its first frame, as an array of `shape`; see `fitted`.

    Raises:
        Exception: any, if it is no image or a damaged one.
    """
    from PIL import Image

    with Image.open(path, formats=_FORMATS) as image:
        side = 2 * max(shape[1:])
        image.draft(None, (side, side))  # a far larger JPEG is decoded at a part of its size
        return fitted(image, shape)


def fitted(image: Any, shape: tuple[int, int, int]) -> Pixels:
    """Return a picture of Pillow as an array (C, H, W).

    It is held upright as its EXIF data tell, laid on white where it is transparent, made
    grey (C = 1) or RGB (C = 3), shrunk or enlarged with antialiasing until its shorter
    side fits, and cropped at the centre.

    Raises:
        ValueError: its pixels have more than 16 bits, of which nobody tells the range.
    """
    from PIL import Image, ImageOps

    channels, height, width = shape
    image = _of_8_bits(ImageOps.exif_transpose(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), method=Image.Resampling.BILINEAR)
    pixels = np.array(image, dtype=np.uint8).reshape(height, width, channels)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _of_8_bits(image: Any) -> Any:
    """Scale grey of 16 bits, which Pillow would clip."""
    from PIL import Image

    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError("its pixels have more than 16 bits")
    return Image.fromarray((values.astype(np.uint32) // 257).astype(np.uint8))
