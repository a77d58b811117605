"""Training examples without augmentation, which methods read before the first step."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from diswot.tasks import Batch, TrainingBatches


@dataclass(frozen=True)
class PlainBatches:
    """Training examples without augmentation, in batches; can be iterated repeatedly.

    Attributes:
        examples: number of training examples.
        source: returns the source of unaugmented examples; called on first use.
        size: batch size.
        seed: seed of their order.
        fixed: whether teachers get these examples unchanged in every epoch (no random
            augmentation), so that their outputs can be cached.
        note: receives messages for the user.
    """

    examples: int
    source: Callable[[], TrainingBatches]
    size: int
    seed: int
    fixed: bool
    note: Callable[[str], None]

    def __len__(self) -> int:
        return self.examples

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
        return self.source()
