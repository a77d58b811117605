"""Images with classes, and their random splits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.tasks._stratified_split import divided, held_out_of


@dataclass(frozen=True, eq=False)
class Split:
    """Images (n, C, H, W), uint8 or float, in memory or memory-mapped; and classes (n,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> "Split":
        """Return the images at `indices`, in memory."""
        return Split(self.images[indices], self.labels[indices])

    def content(self) -> Iterator[NDArray[Any]]:
        """Yield the arrays that the digest of the data is computed from."""
        yield from (self.images.numpy(), self.labels.numpy())


def batches(
    split: Split, size: int, generator: torch.Generator | None = None, *, drop_last: bool = False
) -> Iterator[Split]:
    """Yield `split` in batches, shuffled by `generator` if given."""
    count = len(split)
    order = torch.arange(count) if generator is None else torch.randperm(count, generator=generator)
    stop = count - count % size if drop_last and count >= size else count
    for start in range(0, stop, size):
        yield split.take(order[start : start + size])


def held_out(split: Split, count: int, seed: int) -> tuple[Split, Split]:
    """Split off `count` images at random, stratified by class; return the rest and these.

    Raises:
        DataError: there are too few images.
    """
    rest, held = divided(split.labels, count, seed)
    return split.take(torch.from_numpy(rest)), split.take(torch.from_numpy(held))


def held_out_part(
    split: Split, part: int, seed: int, *, classes: Sequence[str] | None = None
) -> tuple[Split, Split]:
    """Split off one in `part` images at random, at least one per class; return rest and these.

    Raises:
        DataError: a class has too few images.
    """
    rest, held = held_out_of(split.labels, part, seed, classes=classes)
    return split.take(torch.from_numpy(rest)), split.take(torch.from_numpy(held))
