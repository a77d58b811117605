"""Summary of classes and their numbers of images."""

from collections.abc import Sequence

import torch

from diswot.tasks.images._labeled_images import LabeledImages

LISTED = 8
"""Maximum number of classes that are listed by name."""


def described(data: LabeledImages) -> list[str]:
    """Return lines with the classes and their numbers of images in train, val and test."""
    splits = (data.train, data.val, data.test)
    counts = torch.stack(
        [torch.bincount(split.labels, minlength=data.num_classes) for split in splits], dim=1
    ).tolist()
    names = data.classes or tuple(map(str, range(data.num_classes)))
    listed = [
        f"{name} {'/'.join(f'{n:,}' for n in own)}"
        for name, own in zip(names[:LISTED], counts, strict=False)
    ]
    text = ", ".join(listed)
    if len(names) > LISTED:
        ranges = "/".join(_range(column) for column in zip(*counts, strict=True))
        text += f" and {len(names) - LISTED:,} more, each {ranges}"
    notes = [f"{data.num_classes:,} classes, images in train/val/test: {text}"]
    for split, column in zip(("train", "val", "test"), zip(*counts, strict=True), strict=True):
        if lacking := [name for name, count in zip(names, column, strict=False) if not count]:
            few = ", ".join(lacking[:LISTED]) + (" …" if len(lacking) > LISTED else "")
            notes.append(f"{len(lacking):,} classes have no image in {split}: {few}")
    return notes


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
