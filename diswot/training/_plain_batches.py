"""Training examples without augmentation, as methods see them before the first step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from diswot.tasks import Batch, Dataset


@dataclass(frozen=True)
class PlainBatches:
    """Batches of the training split without augmentation, as often as they are asked for.

    Attributes:
        data: the examples.
        size: of a batch.
        device: where batches are needed.
        seed: of their order.
        fixed: whether examples are trained on as they are here, in every epoch.
        note: receives messages for people.
    """

    data: Dataset
    size: int
    device: str
    seed: int
    fixed: bool
    note: Callable[[str], None]

    def __len__(self) -> int:
        return self.data.size("train")

    def __iter__(self) -> Iterator[Batch]:
        """Go through all examples once, in an order that follows from the seed."""
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(len(self), generator=generator)
        yield from map(self.take, torch.split(order, self.size))

    def take(self, places: Tensor) -> Batch:
        """Return the examples at places (B,) of the training split."""
        return self.data.batch("train", places, device=self.device)
