"""Data of the user's own: a `torch.utils.data.Dataset`, or a callable that returns one."""

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from diswot.data._image_data import ImageData, Split, held_out, image_spec
from diswot.errors import DataError, first_line


def from_dataset(given: Any, *, name: str, seed: int = 0) -> ImageData:
    """Return `ImageData` of a dataset, or of a pair (training dataset, test dataset).

    An item is (image, class): a tensor (C, H, W), uint8 or float, and an integer.
    A tenth of the training images is held out to choose on; without a test dataset,
    a fifth to judge on. All images are held in memory.

    Raises:
        DataError: the items are not images of one shape with classes.
    """
    if isinstance(given, ImageData):
        return given
    train, test = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    whole = _in_memory(train, name)
    if test is None:
        whole, judged = held_out(whole, max(1, len(whole) // 5), seed)
    else:
        judged = _in_memory(test, name)
    rest, val = held_out(whole, max(1, len(whole) // 10), seed)
    num_classes = int(max(whole.labels.max(), judged.labels.max())) + 1
    return ImageData(name, rest, val, judged, image_spec(rest.images, num_classes))


def _in_memory(dataset: "Dataset[Any]", name: str) -> Split:
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise DataError(
            f"Expected {name} to be a dataset with a length and items, "
            f"but got {type(dataset).__name__}"
        )
    try:
        items = [dataset[i] for i in range(len(dataset))]
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
            f"Expected the items of {name} to be (image tensor of one shape, class), "
            f"but got {_describe(items)}: {first_line(error)}"
        ) from error
    if images.ndim != 4 or labels.min() < 0:
        raise DataError(
            f"Expected the items of {name} to be images (C, H, W) with classes from 0, "
            f"but got {_describe(items)}"
        )
    return Split(images, labels)


def _describe(items: list[Any]) -> str:
    if not items:
        return "no item"
    parts = items[0] if isinstance(items[0], tuple | list) else [items[0]]
    shown = [
        f"tensor {tuple(part.shape)}" if isinstance(part, Tensor) else repr(part)[:40]
        for part in parts
    ]
    return f"a first item ({', '.join(shown)})"
