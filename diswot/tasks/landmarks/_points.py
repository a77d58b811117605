"""Checks of points, and the symmetry of the 68 points of faces."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diswot.errors import DataError
from diswot.tasks.landmarks._error import Normalizer

FACE_POINTS = 68
"""Number of points of a face in 300-W."""

_TURNED = ((0, 16), (17, 26), (31, 35), (48, 54), (55, 59), (60, 64), (65, 67))
"""Ranges (first, last) of points that run from one side of a face to the other."""

_SWAPPED = ((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46))
"""Pairs of corresponding points of the two eyes."""

PIXEL_CENTER = 0.5
"""Offset that is added to points of files, in which (0, 0) is the center of the first pixel."""

_NAMED = 3


def mirrored_face() -> tuple[int, ...]:
    """Return, for each of the 68 points, the index of its counterpart in a flipped image.

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
    """Return the default normalizer for a number of points."""
    return "inter-ocular" if points == FACE_POINTS else "box"


def check_points(
    points: NDArray[np.floating], sizes: NDArray[np.integer], names: Sequence[str], *, where: str
) -> None:
    """Check that all points are finite and inside of their images.

    Args:
        points: x and y in pixels, shape (n, K, 2); (0, 0) is the center of the first pixel.
        sizes: width and height of each image, shape (n, 2).
        names: names of the images, for messages.
        where: path of the data, for messages.

    Raises:
        DataError: a point is not finite, or outside of its image.
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


def _first(indices: NDArray[np.bool_], points: NDArray[np.floating], names: Sequence[str]) -> str:
    result = np.argwhere(indices)
    texts = [
        f"point {point} of {names[image]} ({x:g}, {y:g})"
        for image, point in result[:_NAMED]
        for x, y in points[image, point : point + 1]
    ]
    more = f" and {len(result) - _NAMED:,} more" if len(result) > _NAMED else ""
    return ", ".join(texts) + more
