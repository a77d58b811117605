"""Folders of images that are decoded once into a memory-mapped file."""

from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import torch

from diswot.progress import Progress
from diswot.tasks import SPLITS
from diswot.tasks._image_file import read_image
from diswot.tasks.images._duplicates import duplicates
from diswot.tasks.images._folder_headers import FolderHeaders
from diswot.tasks.images._image_cache import (
    about,
    assembled,
    complete,
    describe,
    labels_of,
    named_if_damaged,
)
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._listing import Listing
from diswot.tasks.images._originals import Originals
from diswot.tasks.images._split import Split

FORMAT = 2
"""Version of the file; increase it if the same folder would be decoded differently."""

_IMAGES = "images.npy"


def write_decoded(headers: FolderHeaders, progress: Progress, path: Path) -> None:
    """Decode all images into files in the folder `path`.

    Raises:
        DataError: too many images are unreadable.
    """
    labels: dict[str, list[int]] = {split: [] for split in SPLITS}
    # The number of readable images is known only at the end, so the header is written twice.
    with (path / _IMAGES).open("wb") as file:
        _write_header(file, len(headers.entries), headers.shape)
        decode = partial(read_image, shape=headers.shape, depth=headers.depth)
        decoded = headers.reading.each(decode, stage="decode", progress=progress)
        for pixels, (split, image) in zip(decoded, headers.entries, strict=True):
            if pixels is not None:
                file.write(pixels.data)
                labels[split].append(image.label)
        _write_header(file, sum(map(len, labels.values())), headers.shape)
    training = torch.tensor(labels["train"])
    describe(path, headers, labels, train=Split(_images(path)[: len(training)], training))
    data = _mapped(path)
    complete(path, data, duplicates(data.train, data.val, data.test))


def read_decoded(path: Path, listing: Listing) -> ImageData:
    """Return the data of the files in `path`; the images are memory-mapped.

    The image files become the data's `originals`, unless some were unreadable.

    Raises:
        DataError: the files are damaged.
    """
    data = _mapped(path, listing)
    parts = {"train": data.train, "val": data.val, "test": data.test}
    originals = {
        split: Originals(
            tuple(image.path for image in listing.splits[split]), data.shape[0], data.depth
        )
        for split, images in parts.items()
        if len(images) == len(listing.splits[split])
    }
    return data.with_provenance(originals=originals)


def _write_header(file: IO[bytes], count: int, shape: tuple[int, int, int]) -> None:
    """Write the header of a .npy file, whose length does not depend on `count`."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
    )


def _images(path: Path) -> torch.Tensor:
    # Mode c is copy-on-write: writing to the tensor does not change the file.
    return torch.from_numpy(np.load(path / _IMAGES, mmap_mode="c"))


def _mapped(path: Path, listing: Listing | None = None) -> ImageData:
    known = about(path)
    with named_if_damaged(path):
        parts = (torch.split(item, known["counts"]) for item in (_images(path), labels_of(path)))
        splits = [Split(images, labels) for images, labels in zip(*parts, strict=True)]
        if listing is None:
            return assembled(splits, known, "", ())
        return assembled(splits, known, listing.root.resolve().name, listing.notes)
