"""Training examples without augmentation, which methods read before the first step."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from diswot.tasks import Batch, Dataset, TrainingBatches
from diswot.training._recipe import Recipe


@dataclass(frozen=True)
class PlainBatches:
    """Batches of the training split without augmentation; can be iterated repeatedly.

    Attributes:
        data: the dataset.
        size: batch size.
        device: torch device to which batches are moved.
        seed: seed of their order.
        fixed: whether the training uses these examples unchanged in every epoch (no random
            augmentation), so that teacher outputs can be cached.
        note: receives messages for the user.
        teachers: teachers by name that may get their own view of the examples.
    """

    data: Dataset
    size: int
    device: str
    seed: int
    fixed: bool
    note: Callable[[str], None]
    teachers: Mapping[str, nn.Module] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.data.size("train")

    def __iter__(self) -> Iterator[Batch]:
        """Yield all examples once, in an order that depends only on the seed."""
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(len(self), generator=generator)
        yield from map(self.take, torch.split(order, self.size))

    def take(self, places: Tensor) -> Batch:
        """Return the examples with indices `places` (B,) in the training split."""
        return self._unchanged(places)

    @property
    def views(self) -> Mapping[str, str]:
        """Descriptions of the teachers' own views, by the teachers' names."""
        return self._unchanged.views

    @cached_property
    def _unchanged(self) -> TrainingBatches:
        recipe = Recipe(1, augment="none")
        return self.data.training(recipe, device=self.device, teachers=self.teachers)
