"""Images with classes."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor


@dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images with their classes.

    Attributes:
        images: images, uint8 of shape (n, C, H, W).
        labels: class of each image (n,), an index in the names of its group of classes.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


class Pairs(NamedTuple):
    """Images of all classes, on which a teacher without weights is trained.

    Attributes:
        train: training images.
        val: validation images.
        test: test images.
    """

    train: LabeledImages
    val: LabeledImages
    test: LabeledImages
