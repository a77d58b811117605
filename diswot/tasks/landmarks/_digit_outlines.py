"""Outlines of scikit-learn's digits: landmark data that needs no download."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.tasks.landmarks._landmark_data import LandmarkData
from diswot.tasks.landmarks._landmark_images import LandmarkSplit
from diswot.tasks.landmarks._outlines import row_edges

TRAIN_IMAGES = 600
VAL_IMAGES = 200

ROWS = 8
"""Number of rows of a digit; each has a left and a right edge point."""


def digit_outlines(_root: Path | None = None) -> LandmarkData:
    """Return the 1,797 handwritten digits, 1×16×16, with 16 points: 600 train, 200 val, 997 test.

    The points are where the ink of each of the 8 rows of an original begins and ends, see
    [`row_edges`][diswot.tasks.landmarks.row_edges]: no faces, but a function of real images.
    The 8×8 originals are doubled bilinearly. Errors are in percent of the image width.

    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI
    Machine Learning Repository, 1998, as shipped with scikit-learn.
    """
    # Imported here to keep the start of other commands fast.
    from sklearn.datasets import load_digits

    pixels, _ = load_digits(return_X_y=True)
    small = torch.from_numpy(pixels).float().view(-1, 1, ROWS, ROWS)
    double = F.interpolate(small * (255 / 16), scale_factor=2, mode="bilinear")
    images, points = double.round().to(torch.uint8), 2 * row_edges(small[:, 0])
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(images)))
    parts = torch.tensor_split(order, [TRAIN_IMAGES, TRAIN_IMAGES + VAL_IMAGES])
    train, val, test = (_part(images, points, places) for places in parts)
    return LandmarkData(
        "digit-outlines",
        train,
        val,
        test,
        "width",
        mirror=(*range(ROWS, 2 * ROWS), *range(ROWS)),
        rows=True,
    )


def _part(images: Tensor, points: Tensor, indices: Tensor) -> LandmarkSplit:
    return LandmarkSplit(images[indices], points[indices])
