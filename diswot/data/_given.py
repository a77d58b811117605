"""Data of the user's own: a `torch.utils.data.Dataset`, or a callable that returns one."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from diswot.data._image_data import ImageData, Split, held_out, image_spec
from diswot.data._picture import fitted, header_of
from diswot.errors import DataError, first_line

_TOGETHER = 256
"""Pictures held at their full size at a time."""


def from_dataset(
    given: Any, *, name: str, image_size: int | None = None, seed: int = 0
) -> ImageData:
    """Return `ImageData` of a dataset, or of a pair (training dataset, test dataset).

    An item is (image, class): a tensor (C, H, W), uint8 or float, or a picture of Pillow;
    and an integer. Pictures are brought to one size, `image_size` or that of the first, and
    to RGB where any has colours. A tenth of the training images is held out to choose on;
    without a test dataset, a fifth to judge on. All images are held in memory. An attribute
    `classes` of the training dataset tells the classes' names.

    Raises:
        DataError: the items are not images of one shape with classes.
    """
    if isinstance(given, ImageData):
        return given
    train, test = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    whole = _in_memory(train, name, image_size and (None, image_size, image_size))
    if test is None:
        whole, judged = held_out(whole, max(1, len(whole) // 5), seed)
    else:
        judged = _in_memory(test, name, tuple(whole.images.shape[1:]))
    rest, val = held_out(whole, max(1, len(whole) // 10), seed)
    num_classes = int(max(whole.labels.max(), judged.labels.max())) + 1
    classes = _class_names(train, name, num_classes)
    spec = image_spec(rest.images, max(num_classes, len(classes or ())))
    return ImageData(name, rest, val, judged, spec, classes=classes)


def _in_memory(dataset: "Dataset[Any]", name: str, shape: Any = None) -> Split:
    """Read a dataset; pictures are brought to `shape`, of which each part may be left open."""
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise DataError(
            f"Expected {name} to be a dataset with a length and items, "
            f"but got {type(dataset).__name__}"
        )
    try:
        items = _without_pictures(dataset, shape)
    except Exception as error:
        raise DataError(
            f"reading the items of {name} raised {type(error).__name__}: {first_line(error)}; "
            "mend the dataset"
        ) from error
    try:
        images = torch.stack([item[0] for item in items])
        labels = torch.tensor([int(item[1]) for item in items])
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        raise DataError(
            f"Expected the items of {name} to be (image tensor of one shape or picture, class), "
            f"but got {_describe(items)}: {first_line(error)}"
        ) from error
    if images.ndim != 4 or labels.min() < 0:
        raise DataError(
            f"Expected the items of {name} to be images (C, H, W) with classes from 0, "
            f"but got {_describe(items)}"
        )
    return Split(images, labels)


def _without_pictures(dataset: "Dataset[Any]", shape: Any) -> list[Any]:
    """Return the items of a dataset, with tensors in place of pictures of Pillow."""
    from PIL.Image import Image

    items = (dataset[i] for i in range(len(dataset)))  # type: ignore[arg-type]
    first = next(items, None)
    everything = chain([] if first is None else [first], items)
    if not (isinstance(first, tuple | list) and first and isinstance(first[0], Image)):
        return list(everything)
    header = header_of(first[0])
    channels, height, width = shape or (None, header.height, header.width)

    def as_tensor(item: Any) -> tuple[Tensor, Any]:
        picture, label = item
        own = 1 if header_of(picture).grey else 3
        return torch.from_numpy(fitted(picture, (channels or own, height, width))), label

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = iter(lambda: list(islice(everything, _TOGETHER)), [])
        read = [item for part in parts for item in pool.map(as_tensor, part)]
    most = max(len(image) for image, _ in read)
    return [(image.expand(most, -1, -1), label) for image, label in read]


def _class_names(dataset: Any, name: str, num_classes: int) -> tuple[str, ...] | None:
    names = getattr(dataset, "classes", None)
    if not isinstance(names, tuple | list) or not all(isinstance(each, str) for each in names):
        return None
    if len(names) < num_classes:
        raise DataError(
            f"{name} has {num_classes} classes, but its attribute classes names {len(names)}: "
            "name all of them"
        )
    return tuple(names)


def _describe(items: list[Any]) -> str:
    if not items:
        return "no item"
    parts = items[0] if isinstance(items[0], tuple | list) else [items[0]]
    shown = [
        f"tensor {tuple(part.shape)}" if isinstance(part, Tensor) else repr(part)[:40]
        for part in parts
    ]
    return f"a first item ({', '.join(shown)})"
