"""Images held out at random, classes in proportion."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.errors import DataError

_Places: TypeAlias = NDArray[np.int64]


def divided(labels: Tensor, count: int, seed: int) -> tuple[_Places, _Places]:
    """Divide the places of `labels` (n,) at random into the rest and `count`, in proportion.

    Raises:
        DataError: there are too few images for that.
    """
    # imported here: commands that read no data need not wait for it
    from sklearn.model_selection import train_test_split

    try:
        rest, held = train_test_split(
            np.arange(len(labels)), test_size=count, random_state=seed, stratify=labels.numpy()
        )
    except ValueError as error:
        raise DataError(
            f"cannot hold {count} of {len(labels)} images out with every class in both parts: "
            f"give more images per class ({error})"
        ) from error
    return rest, held


def held_out_of(
    labels: Tensor, part: int, seed: int, *, classes: Sequence[str] | None = None
) -> tuple[_Places, _Places]:
    """Divide the places of `labels` (n,) into the rest and one in `part`, in proportion.

    Of each class, at least one image is held out and one is left.

    Args:
        labels: class of each image.
        part: 5 holds out a fifth.
        seed: of the random choice.
        classes: their names, for messages.

    Raises:
        DataError: a class has a single image.
    """
    present, counts = np.unique(labels.numpy(), return_counts=True)
    if few := present[counts < 2].tolist():
        names = [classes[label] if classes else str(label) for label in few]
        said = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
        raise DataError(
            "images cannot be held out to select and to evaluate on: too few of the classes "
            f"{said}; give more images per class, at least three"
        )
    rest, held = map(
        torch.from_numpy, divided(labels, max(len(labels) // part, len(present)), seed)
    )
    every = torch.from_numpy(present)
    rest, held = _with_every(every, labels, rest, held)
    held, rest = _with_every(every, labels, held, rest)
    return rest.numpy(), held.numpy()


def _with_every(
    present: Tensor, labels: Tensor, source: Tensor, target: Tensor
) -> tuple[Tensor, Tensor]:
    """Move an image of each class that `target` lacks to it from `source`."""
    for label in present[~torch.isin(present, labels[target])]:
        moved = source[labels[source] == label][:1]
        source, target = source[source != moved], torch.cat([target, moved])
    return source, target
