"""Hold out random examples, stratified by class."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.errors import DataError
from diswot.tasks._names import named

_Places: TypeAlias = NDArray[np.int64]
_T = TypeVar("_T")


def divided(
    labels: Tensor, count: int, seed: int, *, of: str = "images"
) -> tuple[_Places, _Places]:
    """Split examples at random into the rest and `count` held-out ones, stratified by class.

    Args:
        labels: class of each example (n,).
        count: number of examples to hold out.
        seed: seed of the random choice.
        of: what the examples are called in messages.

    Returns:
        Indices of the rest and of the held-out examples.

    Raises:
        DataError: there are too few examples.
    """
    # Imported here to keep commands that read no data fast to start.
    from sklearn.model_selection import train_test_split

    try:
        rest, held = train_test_split(
            np.arange(len(labels)), test_size=count, random_state=seed, stratify=labels.numpy()
        )
    except ValueError as error:
        raise DataError(
            f"cannot hold {count} of {len(labels)} {of} out with every class in both parts: "
            f"give more {of} per class ({error})"
        ) from error
    return rest, held


def held_out_of(
    labels: Tensor,
    part: int,
    seed: int,
    *,
    classes: Sequence[str] | None = None,
    of: str = "images",
) -> tuple[_Places, _Places]:
    """Hold out one in `part` examples, stratified by class.

    Of each class, at least one example is held out and at least one remains.

    Args:
        labels: class of each example (n,).
        part: 5 holds out a fifth of the examples.
        seed: seed of the random choice.
        classes: names of the classes, for messages.
        of: what the examples are called in messages.

    Returns:
        Indices of the rest and of the held-out examples.

    Raises:
        DataError: a class has only one example.
    """
    present, counts = np.unique(labels.numpy(), return_counts=True)
    if few := present[counts < 2].tolist():
        names = [classes[label] if classes else str(label) for label in few]
        raise DataError(
            f"there are too few {of} of the classes {named(names)} to hold some out for "
            f"validation and test: add {of}, to at least three per class"
        )
    rest, held = map(
        torch.from_numpy, divided(labels, max(len(labels) // part, len(present)), seed, of=of)
    )
    every = torch.from_numpy(present)
    rest, held = _with_every(every, labels, rest, held)
    held, rest = _with_every(every, labels, held, rest)
    return rest.numpy(), held.numpy()


def completed(
    found: Mapping[str, _T], hold_out: Callable[[_T, int], tuple[_T, _T]]
) -> dict[str, _T]:
    """Complete the splits: missing ones are held out of the training examples.

    If there is a validation split but no test split, it is used as test split.

    Args:
        found: examples of `train`, and of `val` and `test` if they exist.
        hold_out: (examples, part) → the rest, and one in `part` examples.

    Returns:
        Examples of `train`, `val` and `test`.
    """
    train, val, test = found["train"], found.get("val"), found.get("test")
    if test is None and val is not None:
        val, test = None, val
    if test is None:
        train, test = hold_out(train, 5)
    if val is None:
        train, val = hold_out(train, 10)
    return {"train": train, "val": val, "test": test}


def _with_every(
    present: Tensor, labels: Tensor, source: Tensor, target: Tensor
) -> tuple[Tensor, Tensor]:
    """Move one example of each class that `target` lacks from `source` to it."""
    for label in present[~torch.isin(present, labels[target])]:
        moved = source[labels[source] == label][:1]
        source, target = source[source != moved], torch.cat([target, moved])
    return source, target
