"""Training examples without augmentation, as methods see them before the first step."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from diswot.tasks import Batch, Dataset, TrainingBatches
from diswot.training._recipe import Recipe


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
        teachers: by name, those that get their own view of the examples where they have one.
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
        """Go through all examples once, in an order that follows from the seed."""
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(len(self), generator=generator)
        yield from map(self.take, torch.split(order, self.size))

    def take(self, places: Tensor) -> Batch:
        """Return the examples at places (B,) of the training split."""
        return self._unchanged(places)

    @property
    def views(self) -> Mapping[str, str]:
        """Names of the teachers that get their own view, with what it is."""
        return self._unchanged.views

    @cached_property
    def _unchanged(self) -> TrainingBatches:
        recipe = Recipe(1, augment="none")
        return self.data.training(recipe, device=self.device, teachers=self.teachers)
