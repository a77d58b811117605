"""Notes on duplicate images."""

import hashlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from diswot.tasks._examples import SPLITS, SplitName
from diswot.tasks.images._split import Split

PAIRS: tuple[tuple[SplitName, SplitName], ...] = (
    ("train", "test"),
    ("train", "val"),
    ("val", "test"),
)
"""Pairs of splits that should have no images in common."""


def duplicates(train: Split, val: Split, test: Split) -> list[str]:
    """Return notes on images of `val` and `test` that are also in `train`, pixel for pixel.

    Accuracies on such images are biased. Equal images of different classes are counted, too.
    """
    parts = (train, val, test)
    return repeated([_fingerprints(split) for split in parts], [split.labels for split in parts])


def repeated(fingerprints: Sequence[NDArray[np.uint64]], labels: Sequence[Tensor]) -> list[str]:
    """Return the notes of `duplicates`, given fingerprints of the images.

    Args:
        fingerprints: 64-bit fingerprints of the images of `train`, `val` and `test`, each (n,).
        labels: their classes, each (n,).
    """
    prints = dict(zip(SPLITS, fingerprints, strict=True))
    notes = [
        f"warning: {shared:,} of {len(prints[split]):,} {split} images are {other} images too, "
        "pixel for pixel"
        for other, split in PAIRS
        if (shared := int(np.isin(prints[split], prints[other]).sum()))
    ]
    classes = np.concatenate([label.numpy() for label in labels])
    together = np.concatenate(list(prints.values()))
    # A fingerprint with two or more classes is a contradiction.
    pairs = np.unique(np.stack([together, classes.astype(np.uint64)]), axis=1)
    contradicting = int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())
    if contradicting:
        notes.append(f"warning: equal images in different classes: {contradicting:,}")
    return notes


def fingerprint(image: NDArray[Any]) -> int:
    """Return a 64-bit hash of an image's pixels."""
    content = np.ascontiguousarray(image).data
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), sys.byteorder)


def _fingerprints(split: Split) -> NDArray[np.uint64]:
    return np.array([fingerprint(image) for image in split.images.numpy()], dtype=np.uint64)
