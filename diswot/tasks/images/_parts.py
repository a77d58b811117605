"""Parts of image data: examples of one owner, with a public set that has no labels."""

import hashlib
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from diswot.errors import DataError
from diswot.tasks._examples import SplitName
from diswot.tasks._task import Dataset
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._split import Split


def part_of(
    data: Dataset, indices: Tensor, *, name: str, public: Dataset, split: SplitName = "val"
) -> Dataset:
    """Return the data of one owner: some training images, and public ones as validation images.

    Normalization and test images stay those of `data`. The public images have class 0
    everywhere, so that nothing can read their labels.

    Args:
        data: the images of all owners.
        indices: indices (n,) of the owner's training images.
        name: name of the part.
        public: data that contain the public images.
        split: split of `public` that they are.
    """
    images = _images(data)
    shared = _images(public).split(split)
    unlabeled = Split(shared.images, torch.zeros_like(shared.labels))
    private = images.train.take(indices)
    return replace(images, name=name, train=private, val=unlabeled, source=None, originals={})


def example_digests(data: Dataset, split: SplitName) -> list[bytes]:
    """Return a SHA-256 of every image of a split; equal images have equal digests.

    Args:
        data: image data.
        split: which split.
    """
    images = _images(data).split(split).images
    return [hashlib.sha256(image.numpy().tobytes()).digest() for image in images]


def _images(data: Dataset) -> ImageData:
    images = cast(ImageData, data)
    if not isinstance(images, ImageData) or not isinstance(images.train, Split):
        raise DataError(
            f"Expected images in memory, but {data.name} are other data, or are streamed: take a "
            "smaller dataset or image size"
        )
    return images
