"""Images of several handwritten digits: multi-label data that needs no download."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from diswot.tasks.images._image_spec import image_spec
from diswot.tasks.images._split import Split
from diswot.tasks.images.multi_label._data import MultiLabelData

SIZES = {"train": 600, "val": 200, "test": 800}
"""Number of images of each split."""

_SHARES = (0.05, 0.30, 0.35, 0.20, 0.10)
"""Probability that an image has 0, 1, 2, 3 or 4 digits."""

_CORNERS = ((0, 0), (0, 8), (8, 0), (8, 8))


def digit_sets(_root: Path | None = None) -> MultiLabelData:
    """Return 1×16×16 images with up to four digits of scikit-learn, each in one corner.

    The labels of an image are the digits that occur in it; one in twenty images is empty. The
    splits, of 600, 200 and 800 images, share no handwritten digit.

    Source of the digits: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI
    Machine Learning Repository, 1998, as shipped with scikit-learn.
    """
    # Imported here to keep the start of other commands fast.
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    digits = torch.from_numpy(pixels).view(-1, 8, 8).mul(255 / 16).round().to(torch.uint8)
    labels = torch.from_numpy(classes).long()
    rng = np.random.default_rng(0)
    order, first, splits = torch.from_numpy(rng.permutation(len(digits))), 0, []
    for count in SIZES.values():
        own = order[first : first + len(digits) * count // sum(SIZES.values())]
        splits.append(_drawn(digits[own], labels[own], count, rng))
        first += len(own)
    train, val, test = splits
    spec = image_spec(train.images, 10)
    names = tuple("0123456789")
    return MultiLabelData("digit-sets", train, val, test, spec, flips=False, classes=names)


def _drawn(digits: Tensor, labels: Tensor, count: int, rng: np.random.Generator) -> Split:
    """Draw images (count, 1, 16, 16) of digits (n, 8, 8), with their labels (count, 10)."""
    images = torch.zeros(count, 1, 16, 16, dtype=torch.uint8)
    present = torch.zeros(count, 10, dtype=torch.uint8)
    for index in range(count):
        corners = rng.permutation(4)[: rng.choice(5, p=_SHARES)]
        for corner, digit in zip(
            corners, rng.integers(len(digits), size=len(corners)), strict=True
        ):
            top, left = _CORNERS[corner]
            images[index, 0, top : top + 8, left : left + 8] = digits[digit]
            present[index, labels[digit]] = 1
    return Split(images, present)
