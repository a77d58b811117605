"""Decode the images of annotation files, and assemble their dataset."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import compress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.errors import DataError
from diswot.progress import Progress
from diswot.tasks._examples import SPLITS
from diswot.tasks._image_file import depth_of, read_header, read_image
from diswot.tasks._stratified_split import completed
from diswot.tasks.images._conversion import conversions, inferred_shape
from diswot.tasks.images._image_spec import image_spec
from diswot.tasks.images._originals import Originals
from diswot.tasks.images._reading import Reading
from diswot.tasks.images._split import Split
from diswot.tasks.images.multi_label._annotations import Annotation, Annotations, read_annotations
from diswot.tasks.images.multi_label._data import MultiLabelData
from diswot.tasks.images.multi_label._label_sets import label_vectors
from diswot.tasks.images.multi_label._stratified import held_out_of

_SEED = 0


def annotated_photos(path: Path, *, image_size: int | None, progress: Progress) -> MultiLabelData:
    """Load the images that annotation files name; they are decoded into memory.

    Args:
        path: a file or folder, see `read_annotations`.
        image_size: height and width of the images; by default inferred.
        progress: called after every image that is read.

    Raises:
        DataError: a file is not valid, an image is missing, or too many cannot be read.
        UnknownNameError: an image has a label that is not declared, or that no training image
            has.
    """
    found = read_annotations(path)
    _check_files(found)
    sets = {split: [item.labels for item in items] for split, items in found.splits.items()}
    vectors, names, count = label_vectors(sets, found.classes, str(path))
    parts = completed(
        {split: (found.splits[split], vectors[split]) for split in vectors}, _held_out
    )
    everything = [item.path for split in SPLITS for item in parts[split][0]]
    reading = Reading(found.root, everything)
    headers = [item for item in reading.each(read_header, stage="look", progress=progress) if item]
    shape, inferred = inferred_shape(headers, image_size)
    depth = depth_of(headers)
    decode = partial(read_image, shape=shape, depth=depth)
    pixels = list(reading.each(decode, stage="decode", progress=progress))
    splits, originals = _assembled(parts, pixels, channels=shape[0], depth=depth)
    unreadable = [f"unreadable images left out: {reading.reasons}"] * bool(reading.unreadable)
    held = [split for split in SPLITS if split not in found.splits]
    division = [f"{' and '.join(held)} held out of the training images"] * bool(held)
    notes = (*found.notes, *division, inferred, *conversions(headers, shape, depth), *unreadable)
    train, val, test = splits
    return MultiLabelData(
        path.resolve().stem,
        train,
        val,
        test,
        image_spec(train.images, count),
        classes=names,
        notes=(*notes, "a mirrored image is assumed to keep its labels"),
        originals=originals,
        depth=depth,
    )


_Part: TypeAlias = tuple[Sequence[Annotation], Tensor]


def _held_out(part: _Part, share: int) -> tuple[_Part, _Part]:
    """Hold out one in `share` images, all labels in proportion."""
    items, labels = part
    rest, held = held_out_of(labels, share, _SEED)
    first, second = (([items[i] for i in places], labels[places]) for places in (rest, held))
    return first, second


def _assembled(
    parts: Mapping[str, _Part],
    pixels: Iterable[NDArray[Any] | None],
    *,
    channels: int,
    depth: int,
) -> tuple[list[Split], dict[str, Originals]]:
    """Return the splits of the readable images, and their files.

    Raises:
        DataError: no image of a split can be read.
    """
    splits: list[Split] = []
    originals: dict[str, Originals] = {}
    images = iter(pixels)
    for split in SPLITS:
        items, labels = parts[split]
        decoded = [next(images) for _ in items]
        readable = [image is not None for image in decoded]
        if not any(readable):
            raise DataError(f"there is no {split} image that can be read: add some")
        stacked = np.stack([image for image in decoded if image is not None])
        paths = tuple(item.path for item in compress(items, readable))
        splits.append(Split(torch.from_numpy(stacked), labels[torch.tensor(readable)]))
        originals[split] = Originals(paths, channels, depth)
    return splits, originals


def _check_files(found: Annotations) -> None:
    items = [item for split in found.splits.values() for item in split]
    missing = [item for item in items if not item.path.is_file()]
    if missing:
        first = missing[0]
        raise DataError(
            f"{first.place}: there is no image {first.path}"
            + (f" ({len(missing):,} of {len(items):,} are missing)" if len(missing) > 1 else "")
            + ": write paths relative to the file, or remove the lines"
        )
