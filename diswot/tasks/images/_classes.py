"""Names of classes: their order, and how they are shown with their images."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from diswot.errors import DataError

if TYPE_CHECKING:
    from diswot.tasks.images._image_data import ImageData

SHOWN = 8
"""Classes that are shown with their counts; of more it says how many."""

_NUMBER = re.compile(r"-?\d+", re.ASCII)


def in_order(names: Iterable[str]) -> list[str]:
    """Return names of classes in their order: by number if all are numbers, else as text.

    Raises:
        DataError: two names are the same number, so that their order is not known.

    Examples:
        >>> in_order(["10", "2", "1"]), in_order(["b10", "b2"])
        (['1', '2', '10'], ['b10', 'b2'])
    """
    found = sorted(names)
    if not all(_NUMBER.fullmatch(name) for name in found):
        return found
    by_number = sorted(found, key=int)
    for one, other in pairwise(by_number):
        if int(one) == int(other):
            raise DataError(
                f"the classes {one} and {other} are the same number: rename or join them"
            )
    return by_number


def described(data: "ImageData") -> list[str]:
    """Say which classes the data has, with the images of each in train, val and test."""
    splits = (data.train, data.val, data.test)
    counts = torch.stack(
        [torch.bincount(split.labels, minlength=data.num_classes) for split in splits], dim=1
    ).tolist()
    names = data.classes or tuple(map(str, range(data.num_classes)))
    shown = [
        f"{name} {'/'.join(f'{n:,}' for n in own)}"
        for name, own in zip(names[:SHOWN], counts, strict=False)
    ]
    text = ", ".join(shown)
    if len(names) > SHOWN:
        ranges = "/".join(_range(column) for column in zip(*counts, strict=True))
        text += f" and {len(names) - SHOWN:,} more, each {ranges}"
    notes = [f"{data.num_classes:,} classes, images in train/val/test: {text}"]
    for split, column in zip(("train", "val", "test"), zip(*counts, strict=True), strict=True):
        if lacking := [name for name, count in zip(names, column, strict=False) if not count]:
            few = ", ".join(lacking[:SHOWN]) + (" …" if len(lacking) > SHOWN else "")
            notes.append(f"{len(lacking):,} classes have no image in {split}: {few}")
    return notes


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
