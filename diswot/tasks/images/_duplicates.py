"""Images that are in the data more than once."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from diswot.tasks.images._image_data import Split


def duplicates(train: Split, val: Split, test: Split) -> list[str]:
    """Say how many images of `val` and `test` are in `train` too, pixel for pixel.

    Accuracy on those says nothing. Equal images of different classes are counted as well.
    """
    prints = {
        "train": _fingerprints(train),
        "val": _fingerprints(val),
        "test": _fingerprints(test),
    }
    notes = [
        f"careful: {shared:,} of {len(prints[split]):,} {split} images are {other} images too, "
        "pixel for pixel"
        for other, split in (("train", "test"), ("train", "val"), ("val", "test"))
        if (shared := int(np.isin(prints[split], prints[other]).sum()))
    ]
    labels = np.concatenate([split.labels.numpy() for split in (train, val, test)])
    together = np.concatenate(list(prints.values()))
    pairs = np.unique(np.stack([together, labels.astype(np.uint64)]), axis=1)
    contradicting = int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())
    if contradicting:
        notes.append(f"careful: equal images in different classes: {contradicting:,}")
    return notes


def _fingerprints(split: Split) -> NDArray[np.uint64]:
    """Return 64 bits of a digest of each image."""
    images = split.images.numpy()
    found = bytearray()
    for image in images:
        content = np.ascontiguousarray(image).data
        found += hashlib.blake2b(content, digest_size=8).digest()
    return np.frombuffer(bytes(found), dtype=np.uint64)
