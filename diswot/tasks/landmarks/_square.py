"""Square crops of photos."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diswot.tasks._image_file import fitted


def squared(
    image: Any,
    channels: int,
    side: int,
    *,
    square: tuple[int, int, int] | None = None,
    depth: int = 16,
) -> tuple[NDArray[np.uint8], tuple[int, int, int]]:
    """Crop and resize a PIL image to (channels, side, side); return it and the square.

    Parts of the square outside of the image are black. Resizing uses antialiasing.

    Args:
        image: PIL image; it is rotated by its EXIF data.
        channels: 1 for gray, 3 for RGB.
        side: height and width of the array.
        square: left, top and side in pixels of the image; by default the smallest centered
            square that contains the image.
        depth: number of used bits of a gray image with more than 8 bits.
    """
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    width, height = image.size
    if square is None:
        longer = max(width, height)
        square = -((longer - width) // 2), -((longer - height) // 2), longer
    left, top, size = square
    pixels = fitted(image, (channels, height, width), depth=depth).transpose(1, 2, 0)
    whole = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
    cut = whole.crop((left, top, left + size, top + size))
    if size != side:
        cut = cut.resize((side, side), Image.Resampling.BILINEAR)
    result = np.array(cut, dtype=np.uint8).reshape(side, side, channels)
    return np.ascontiguousarray(result.transpose(2, 0, 1)), square


def square_around(
    low: tuple[float, float], high: tuple[float, float], margin: float
) -> tuple[int, int, int]:
    """Return left, top and side of the square around a box, in whole pixels.

    Args:
        low: left and top edge of the box.
        high: right and bottom edge of the box.
        margin: margin on each side, as a share of the box's longer side.

    Examples:
        >>> square_around((10, 20), (30, 24), 0.25)
        (5, 7, 30)
    """
    size = max(2, round(max(high[0] - low[0], high[1] - low[1]) * (1 + 2 * margin)))
    left, top = (round((a + b - size) / 2) for a, b in zip(low, high, strict=True))
    return left, top, size
