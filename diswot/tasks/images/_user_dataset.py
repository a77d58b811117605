"""Users' datasets: a `torch.utils.data.Dataset`, or a callable that returns one."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from diswot.errors import DataError, first_line
from diswot.tasks import SPLITS
from diswot.tasks._image_file import fitted, header_of
from diswot.tasks._split_names import check_unambiguous, split_names
from diswot.tasks._stratified_split import completed
from diswot.tasks.images._duplicates import duplicates
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._image_spec import image_spec
from diswot.tasks.images._items import EXPECTED, Collected, UnfitItemError, as_image, divide_item
from diswot.tasks.images._labels import Label, class_numbers, read_labels
from diswot.tasks.images._split import Split, held_out_part
from diswot.tasks.images._values import in_range

_TOGETHER = 256
"""Number of images that are in memory at full size at once."""

_Shape = tuple[int | None, int, int] | None


@dataclass(frozen=True)
class Items:
    """The items of a dataset.

    Attributes:
        images: images of shape (n, C, H, W).
        labels: n labels as the dataset gives them.
        notes: what was inferred or converted, as text.
    """

    images: Tensor
    labels: list[Any]
    notes: tuple[str, ...]


def from_dataset(
    given: Any, *, name: str, image_size: int | None = None, seed: int = 0
) -> ImageData:
    """Convert a dataset, or several, to `ImageData`.

    An item is (image, class), or a dictionary with both. The image is a tensor (C, H, W), an
    array (H, W, C) or a PIL image; the class a number or a name. PIL images are resized to
    `image_size` or the size of the first, and converted to RGB if any has colors. Without a
    test dataset, a fifth is held out as test split; then a tenth of the training images as
    validation split.
    All images are held in memory. An attribute `classes` (or `features`) of the training
    dataset gives the classes' names.

    Args:
        given: a dataset, a pair (training, test), a triple (training, validation, test), or a
            dictionary of datasets by the names of splits.
        name: name of the data, for messages.
        image_size: height and width in pixels to which PIL images are resized.
        seed: seed of the random splits.

    Raises:
        DataError: the items are not images of one shape with classes.

    Examples:
        >>> from torch.utils.data import TensorDataset
        >>> images = torch.rand(40, 3, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> data = from_dataset(TensorDataset(images, torch.arange(40) % 2), name="mine")
        >>> data.shape, data.num_classes
        ((3, 8, 8), 2)
    """
    if isinstance(given, ImageData):
        return given
    datasets = by_split(given, name)
    read = read_items(datasets, name, image_size=image_size)
    given_labels: dict[str, list[Label]] = {}
    notes: list[str] = []
    for split, items in read.items():
        given_labels[split], forms = read_labels(items.labels, named_part(datasets, split, name))
        notes += [*items.notes, *forms]
    labels, classes, count = class_numbers(given_labels, names_of(datasets["train"]), name)
    images, scale, said = in_range({split: item.images for split, item in read.items()}, name)
    results = {split: Split(images[split], labels[split]) for split in read}
    splits = completed(results, partial(held_out_part, seed=seed, classes=classes))
    train, val, test = (splits[split] for split in SPLITS)
    spec = image_spec(train.images, count, scale=scale)
    notes = [*dict.fromkeys(notes), *said, *duplicates(train, val, test)]
    return ImageData(name, train, val, test, spec, classes=classes, notes=tuple(notes))


def named_part(datasets: Mapping[str, Any], split: str, name: str) -> str:
    """Return the name of one of several datasets, for messages."""
    return name if len(datasets) == 1 else f"{name} ({split})"


def read_items(
    datasets: Mapping[str, Any], name: str, *, image_size: int | None
) -> dict[str, Items]:
    """Read all items of datasets; the training images determine the shape of the others.

    Args:
        datasets: split → dataset, `train` first.
        name: name of the data, for messages.
        image_size: height and width in pixels to which PIL images are resized.

    Raises:
        DataError: the items are not images of one shape with labels.
    """
    read: dict[str, Items] = {}
    shape: _Shape = (None, image_size, image_size) if image_size else None
    for split, dataset in datasets.items():
        read[split] = _read(dataset, named_part(datasets, split, name), shape)
        channels, height, width = read["train"].images.shape[1:]
        shape = channels, height, width
    return read


def by_split(given: Any, name: str) -> dict[str, Any]:
    """Return split → dataset, `train` first."""
    if isinstance(given, Mapping):
        known = check_unambiguous(split_names(map(str, given)), name)
        if "train" not in known:
            raise DataError(
                f"{name} has no training dataset among {', '.join(map(repr, list(given)[:8]))}: "
                "give a dataset, or a dictionary of 'train' and 'test' datasets"
            )
        return {split: given[known[split]] for split in SPLITS if split in known}
    if isinstance(given, tuple) and any(isinstance(item, Tensor | np.ndarray) for item in given):
        raise DataError(
            f"{name} is a tuple of tensors or arrays: give "
            "torch.utils.data.TensorDataset(images, classes), or a pair of such"
        )
    if isinstance(given, tuple) and len(given) in (2, 3):
        return dict(zip(("train", "test") if len(given) == 2 else SPLITS, given, strict=True))
    return {"train": given}


def _read(dataset: Any, name: str, shape: _Shape) -> Items:
    """Read a dataset; PIL images are resized to `shape`, whose channels may be `None`."""
    _check_dataset(dataset, name)
    count = len(dataset)
    collected, raw, forms = Collected(count, name), [], set()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        items = _items(dataset, count, name)
        # In chunks: images at full size are larger than the resized ones.
        while part := list(islice(items, _TOGETHER)):
            if shape is None and not isinstance(part[0].image, Tensor):
                header = header_of(part[0].image)
                shape = None, header.height, header.width
            tensors = pool.map(partial(_Item.tensor, shape=shape), part)
            for item, pixels in zip(part, tensors, strict=True):
                collected.put(item.place, pixels)
                raw.append(item.label)
                forms.add(item.form)
    images = collected.images()
    notes = [f"items of {name} are {form}" for form in sorted(forms - {""})]
    if collected.gray:
        notes.append(f"gray images of {name} converted to RGB: {collected.gray:,}")
    return Items(images, raw, tuple(notes))


@dataclass(frozen=True)
class _Item:
    """An item of a dataset: its index, a PIL image or tensor, its label, and its form."""

    place: int
    image: Any
    label: Any
    form: str
    name: str

    def tensor(self, *, shape: _Shape) -> Tensor:
        """Return the image as a tensor (C, H, W); a PIL image is resized to `shape`."""
        if isinstance(self.image, Tensor):
            return self.image
        try:
            channels, height, width = shape or (None, *reversed(self.image.size))
            own = 1 if header_of(self.image).gray else 3
            return torch.from_numpy(fitted(self.image, (channels or own, height, width)))
        except Exception as error:  # a damaged image can raise anything
            raise _unreadable(self.name, self.place, error) from error


def _items(dataset: Any, count: int, name: str) -> Iterator[_Item]:
    for index in range(count):
        try:
            item = dataset[index]
        except Exception as error:
            raise _unreadable(name, index, error) from error
        try:
            image, label, form = divide_item(item)
            yield _Item(index, as_image(image), label, form, name)
        except UnfitItemError as error:
            raise DataError(
                f"Expected the items of {name} to be {EXPECTED}, but got {error} (item {index:,})"
            ) from error


def _unreadable(name: str, index: int, error: Exception) -> DataError:
    return DataError(
        f"reading item {index:,} of {name} raised {type(error).__name__}: {first_line(error)}; "
        "fix the dataset, or leave the item out"
    )


def _check_dataset(dataset: Any, name: str) -> None:
    advice = ""
    if isinstance(dataset, IterableDataset):
        advice = ": read it into a list first"
    elif isinstance(dataset, DataLoader):
        advice = ": give its dataset"
    elif hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__"):
        return
    raise DataError(
        f"Expected {name} to be a dataset with a length and items, "
        f"but got {type(dataset).__name__}{advice}"
    )


def names_of(dataset: Any) -> tuple[str, ...] | None:
    """Return the class names of a dataset, or of the dataset of which it is a `Subset`."""
    names = getattr(dataset, "classes", None)
    features = getattr(dataset, "features", None)
    if names is None and isinstance(features, Mapping):
        # A feature of lists holds that of their members.
        members = (getattr(feature, "feature", feature) for feature in features.values())
        names = next(filter(None, (getattr(each, "names", None) for each in members)), None)
    if isinstance(names, tuple | list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    inner = getattr(dataset, "dataset", None)
    return None if inner is None else names_of(inner)
