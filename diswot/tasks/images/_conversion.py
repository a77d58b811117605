"""The common shape of a folder's images, and how they are converted to it."""

from collections import Counter
from collections.abc import Sequence
from statistics import median_low

from diswot.tasks._image_file import DEEP, Header

LARGEST_SIDE = 224
"""Maximum height and width of images if `image_size` is not given."""

_LOST = 0.5
"""Share of an image that center crops may cut off without a note."""

_CHANGES = {
    "of CMYK": "converted to RGB",
    "transparent": "composited on white",
    "turned": "rotated as their EXIF data say",
    "of several frames": "of which the first is taken",
}


def inferred_shape(
    headers: Sequence[Header], image_size: int | None
) -> tuple[tuple[int, int, int], str]:
    """Return (channels, height, width) for all images, and a note how they were inferred."""
    gray = sum(header.gray for header in headers)
    channels = 1 if gray == len(headers) else 3
    (height, width), sharing = Counter((h.height, h.width) for h in headers).most_common(1)[0]
    if image_size is not None:
        height = width = image_size
        size = f"{height}×{width} as requested"
    # The most frequent size if most images have it, else the median of shorter sides.
    elif 2 * sharing > len(headers) and max(height, width) <= LARGEST_SIDE:
        size = f"{height}×{width}, the size of {sharing:,} of {len(headers):,}"
    else:
        shorter = median_low(min(header.height, header.width) for header in headers)
        height = width = min(LARGEST_SIDE, shorter)
        size = f"{height}×{width}, as their shorter sides suggest"
    colors = "gray" if channels == 1 else "in color"
    converted = f" ({gray:,} gray ones converted)" if gray and channels == 3 else ""
    return (channels, height, width), f"images {colors}{converted}, {size}"


def conversions(headers: Sequence[Header], shape: tuple[int, int, int], depth: int) -> list[str]:
    """Return notes on other conversions, with numbers of images."""
    counts = Counter(kind for header in headers for kind in header.converted)
    notes = [
        f"images {kind}, {change}: {counts[kind]:,}"
        for kind, change in _CHANGES.items()
        if counts[kind]
    ]
    if counts[DEEP]:
        gray = f" (gray ones from {depth})" if any(header.largest for header in headers) else ""
        notes.append(f"images {DEEP}, scaled to 8{gray}: {counts[DEEP]:,}")
    return notes + _sizes(headers, shape[1:])


def _sizes(headers: Sequence[Header], wanted: tuple[int, int]) -> list[str]:
    sizes = {(header.height, header.width) for header in headers}
    others = sum((header.height, header.width) != wanted for header in headers)
    if not others:
        return []
    (least, most) = (choose(sizes, key=lambda size: size[0] * size[1]) for choose in (min, max))
    of = f"from {least[0]}×{least[1]} to {most[0]}×{most[1]}" if least != most else "of one size"
    notes = [f"images scaled and cropped to {wanted[0]}×{wanted[1]}, {of}: {others:,}"]
    cut = sum(_left(header, wanted) <= _LOST for header in headers)
    if cut:
        notes.append(f"images that lose half of their area or more in the center crop: {cut:,}")
    return notes


def _left(header: Header, wanted: tuple[int, int]) -> float:
    """Return the share of an image that remains after a center crop to `wanted`'s ratio."""
    ratio = (header.width / header.height) / (wanted[1] / wanted[0])
    return min(ratio, 1 / ratio)
