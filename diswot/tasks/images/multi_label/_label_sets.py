"""Conversion of sets of labels, in any of the usual forms, to tensors of zeros and ones."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diswot.errors import DataError, UnknownNameError
from diswot.tasks._names import in_order

Label = int | str
_MOST_LABELS = 100_000


def read_sets(raw: Sequence[Any], name: str) -> list[tuple[Label, ...]]:
    """Return the labels of each item of a dataset.

    Args:
        raw: for each item a list, tuple or set of names or of numbers, or a vector of zeros and
            ones (an array or a tensor); one name or number alone is a set of one.
        name: name of the dataset, for messages.

    Raises:
        DataError: an item has none of these; the message names the first one.
    """
    results = []
    for index, item in enumerate(raw):
        try:
            results.append(_read(item))
        except ValueError as error:
            raise DataError(
                f"item {index:,} of {name} has no list of labels, but {error}: give each image a "
                "list of names or of numbers from 0, or an array of zeros and ones"
            ) from error
    if len({isinstance(label, str) for labels in results for label in labels}) > 1:
        raise DataError(f"the labels of {name} mix numbers and names: use one of the two")
    return results


def label_vectors(
    sets: Mapping[str, Sequence[Sequence[Label]]],
    names: Sequence[str] | None,
    name: str,
    *,
    width: int | None = None,
) -> tuple[dict[str, Tensor], tuple[str, ...] | None, int]:
    """Return split → labels (n, N) as zeros and ones, the labels' names, and their number N.

    Args:
        sets: split → labels of each image, as names or as numbers from 0; `train` is one split.
        names: names of all labels; by default those of the training images.
        name: name of the dataset, for messages.
        width: number of labels, if it is known from label vectors.

    Raises:
        UnknownNameError: an image has a label that is not among the names.
        DataError: no training image has a label, or numbers are out of range.
    """
    used = {label for own in sets["train"] for label in own}
    if not used:
        raise DataError(f"no training image of {name} has a label: give labels to some")
    if any(isinstance(label, str) for label in used):
        names = list(names or in_order(map(str, used)))
        number: Mapping[Label, int] = {label: index for index, label in enumerate(names)}
        count = len(names)
    else:
        count = width or len(names or ()) or 1 + max(int(label) for label in used)
        number = {index: index for index in range(count)}
    if count > _MOST_LABELS:
        raise DataError(
            f"the labels of {name} go up to {count - 1:,}: number them from 0 without gaps"
        )
    if names is not None and len(names) != count:
        raise DataError(f"{name} has {count:,} labels, but names {len(names):,}: name all of them")
    vectors = {
        split: _vectors(own, number, f"the {split} images of {name}") for split, own in sets.items()
    }
    return vectors, tuple(names) if names else None, count


def _vectors(sets: Sequence[Sequence[Label]], number: Mapping[Label, int], where: str) -> Tensor:
    """Return the labels (n, N) of images as zeros and ones.

    Raises:
        UnknownNameError: an image has a label without a number.
    """
    result = torch.zeros(len(sets), len(number), dtype=torch.uint8)
    for row, labels in zip(result, sets, strict=True):
        for label in labels:
            if label not in number:
                raise UnknownNameError(f"label in {where}", str(label), [*map(str, number)])
            row[number[label]] = 1
    return result


def _read(item: Any) -> tuple[Label, ...]:
    """Return the labels of one item.

    Raises:
        ValueError: it has none of the accepted forms.
    """
    if isinstance(item, Tensor | np.ndarray):
        values = np.asarray(item)
        if values.ndim != 1 or not np.isin(values, (0, 1)).all():
            raise ValueError(f"an array {values.shape} that is not of zeros and ones")
        return tuple(map(int, np.flatnonzero(values)))
    if isinstance(item, Sequence | Set) and not isinstance(item, str | bytes):
        members = sorted(item, key=repr) if isinstance(item, Set) else item
        return tuple(dict.fromkeys(_label(member) for member in members))
    return (_label(item),)


def _label(value: Any) -> Label:
    if isinstance(value, np.generic) or (isinstance(value, Tensor) and value.ndim == 0):
        value = value.item()
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{value!r:.40}")
