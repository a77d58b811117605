"""Conversion of labels, in any of the usual forms, to class numbers from 0."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diswot.errors import DataError
from diswot.tasks._names import in_order

_UNUSED_AT_MOST = 100
"""Unused classes that are accepted in addition to as many as are used."""

Label = int | str


def read_labels(raw: Sequence[Any], name: str) -> tuple[list[Label], list[str]]:
    """Return labels as numbers or class names, and notes on conversions.

    Args:
        raw: numbers, names, or one-hot vectors.
        name: name of the dataset, for messages.

    Raises:
        DataError: some labels are none of these; the message has their number and the first.
    """
    read: list[Label] = []
    forms: set[str] = set()
    for index, label in enumerate(raw):
        try:
            value, form = _read(label)
        except ValueError as error:
            bad = sum(not _is_readable(item) for item in raw)
            raise DataError(
                f"{bad:,} of {len(raw):,} labels of {name} are not classes, the first one at item "
                f"{index:,}: {error}; give each image a number from 0, or a name"
            ) from error
        read.append(value)
        forms.add(form)
    if len({isinstance(item, str) for item in read}) > 1:
        raise DataError(f"the labels of {name} mix numbers and names: use one of the two")
    if negative := [
        index for index, item in enumerate(read) if not isinstance(item, str) and item < 0
    ]:
        raise DataError(
            f"{len(negative):,} of {len(read):,} labels of {name} are negative, the first one at "
            f"item {negative[0]:,}: {read[negative[0]]}; leave images without a class out, and "
            "number classes from 0"
        )
    return read, [f"labels of {name} are {form}" for form in sorted(forms - {""})]


def class_numbers(
    labels: Mapping[str, Sequence[Label]], names: Sequence[str] | None, name: str
) -> tuple[dict[str, Tensor], tuple[str, ...] | None, int]:
    """Return split → class numbers (n,), the classes' names, and the number of classes.

    Args:
        labels: split → labels.
        names: class names of the dataset, if it has any.
        name: name of the dataset, for messages.

    Raises:
        DataError: a label is not among the names, numbers have large gaps, or a class of
            another split has no training images.
    """
    everything = {label for own in labels.values() for label in own}
    if any(isinstance(label, str) for label in everything):
        names = list(names or in_order(str(label) for label in everything))
        if unknown := sorted(str(item) for item in everything - set(names)):
            raise DataError(
                f"{name} has the label {unknown[0]!r}, which is not one of its classes: "
                "name all of them"
            )
        number = {item: index for index, item in enumerate(names)}
        numbered = {split: [number[str(x)] for x in own] for split, own in labels.items()}
    else:
        numbered = {split: [int(label) for label in own] for split, own in labels.items()}
    largest = max(max(own) for own in numbered.values())
    _check_gaps(name, largest, len(everything))
    if names is not None and len(names) <= largest:
        raise DataError(
            f"{name} has {largest + 1} classes, but its attribute classes names {len(names)}: "
            "name all of them"
        )
    _check_trained(numbered, name)
    tensors = {split: torch.tensor(own) for split, own in numbered.items()}
    return tensors, tuple(names) if names else None, max(largest + 1, len(names or ()))


def _check_gaps(name: str, largest: int, used: int) -> None:
    # Ids such as 100,000 would make a huge classifier; a few unused classes are accepted.
    if largest + 1 - used > used + _UNUSED_AT_MOST:
        raise DataError(
            f"the labels of {name} go up to {largest:,}, but only {used:,} different ones are "
            "used: number the classes from 0 without gaps"
        )


def _check_trained(numbered: Mapping[str, Sequence[int]], name: str) -> None:
    for split, own in numbered.items():
        if lacking := sorted(set(own) - set(numbered["train"])):
            raise DataError(
                f"{name} has {len(lacking):,} classes in {split} that no training image has, such "
                f"as {lacking[0]}: give both the same classes"
            )


def _is_readable(label: Any) -> bool:
    try:
        _read(label)
    except ValueError:
        return False
    return True


def _read(label: Any) -> tuple[Label, str]:
    """Return a label as a number or a name, and its form if it needs a note, else "".

    Raises:
        ValueError: it is not a number, name or one-hot vector.
    """
    if isinstance(label, str):
        return label, ""
    if isinstance(label, Tensor | np.ndarray | list | tuple | np.generic):
        values = np.asarray(label)
        if values.size == 1:
            label = values.item()
        elif values.ndim == 1 and values.dtype.kind in "biuf":
            return _from_vector(values)
        else:
            raise ValueError(f"{type(label).__name__} of shape {values.shape}")
    if isinstance(label, float):
        if not math.isfinite(label) or label != int(label):
            raise ValueError(f"{label}")
        return int(label), "whole numbers given as floats"
    if not isinstance(label, int):
        raise ValueError(f"{label!r:.40}")
    return int(label), ""


def _from_vector(values: "np.ndarray[Any, Any]") -> tuple[int, str]:
    if not np.isin(values, (0, 1)).all() or values.sum() != 1:
        raise ValueError(
            f"a vector of {len(values)} that is not one-hot (for images with several classes, "
            "use the task multi-label)"
        )
    return int(values.argmax()), "one-hot vectors"
