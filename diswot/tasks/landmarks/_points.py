"""What points of images must be, and what is known of sets of 68 points."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diswot.errors import DataError
from diswot.tasks.landmarks._error import Normalizer

FACE_POINTS = 68
"""Points of 300-W, in its order."""

_TURNED = ((0, 16), (17, 26), (31, 35), (48, 54), (55, 59), (60, 64), (65, 67))
"""First and last of the lines of points that run from one side of a face to the other."""

_SWAPPED = ((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46))
"""Points of the two eyes."""

PIXEL_CENTER = 0.5
"""What is added to points of files, where (0, 0) is the center of the first pixel."""

_NAMED = 3


def mirrored_face() -> tuple[int, ...]:
    """Return which of the 68 points each of them is in a mirrored image.

    Source: Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV Workshops 2013, figure 1.

    Examples:
        >>> mirrored = mirrored_face()
        >>> mirrored[0], mirrored[36], mirrored[30], mirrored[48]
        (16, 45, 30, 54)
    """
    mirrored = list(range(FACE_POINTS))
    for first, last in _TURNED:
        mirrored[first : last + 1] = reversed(range(first, last + 1))
    for one, other in _SWAPPED:
        mirrored[one], mirrored[other] = other, one
    return tuple(mirrored)


def default_normalizer(points: int) -> Normalizer:
    """Return what errors are divided by where nobody says it."""
    return "inter-ocular" if points == FACE_POINTS else "box"


def check_points(
    points: NDArray[np.floating], sizes: NDArray[np.integer], names: Sequence[str], *, where: str
) -> None:
    """Make sure that all points (n, K, 2) are numbers, and inside of their images.

    Args:
        points: x and y in pixels, as in files: (0, 0) is the center of the first pixel.
        sizes: (n, 2) width and height of each image.
        names: of the images.
        where: what they were read from, for messages.

    Raises:
        DataError: a point is not finite, or lies outside.
    """
    outside = (points < -PIXEL_CENTER) | (points > sizes[:, None] - PIXEL_CENTER)
    wrong = {
        "are missing or not finite": ~np.isfinite(points).all(axis=2),
        "lie outside of their images": outside.any(axis=2),
    }
    for what, places in wrong.items():
        if places.any():
            raise DataError(
                f"{where}: {int(places.sum()):,} points {what}: {_first(places, points, names)}; "
                "fix the points, or leave these images out"
            )


def _first(places: NDArray[np.bool_], points: NDArray[np.floating], names: Sequence[str]) -> str:
    found = np.argwhere(places)
    texts = [
        f"point {point} of {names[image]} ({x:g}, {y:g})"
        for image, point in found[:_NAMED]
        for x, y in points[image, point : point + 1]
    ]
    more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    return ", ".join(texts) + more
