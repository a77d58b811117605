"""Count the training examples that a training reads."""

from collections.abc import Callable
from typing import Any, cast

from torch import Tensor

from diswot.methods._wrapped_batches import WrappedBatches
from diswot.tasks import Batch, Changes, Dataset, SplitName, TrainingBatches

Add = Callable[[int], object]
"""Called with the number of training examples whenever some are read."""


def counting_reads(data: Dataset, add: Add) -> Dataset:
    """Return a dataset that reports how many examples of its training split are read.

    Args:
        data: the dataset, to which everything is delegated.
        add: called with the number of examples of every batch of the training split, with or
            without augmentation.

    Examples:
        >>> import torch
        >>> from diswot.tasks.images import load_data
        >>> counts = []
        >>> data = counting_reads(load_data("digits"), counts.append)
        >>> for split in ("train", "val"):
        ...     _ = data.batch(split, torch.arange(8))
        >>> counts
        [8]
    """
    return cast(Dataset, _CountingData(data, add))


class _CountingData:
    def __init__(self, data: Dataset, add: Add) -> None:
        self._data, self._add = data, add

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        if split == "train":
            self._add(len(indices))
        return self._data.batch(split, indices, device=device)

    def training(self, changes: Changes, **options: Any) -> TrainingBatches:
        return _CountingBatches(self._data.training(changes, **options), self._add)


class _CountingBatches(WrappedBatches):
    def __init__(self, source: TrainingBatches, add: Add) -> None:
        super().__init__(source)
        self._add = add

    def wrapped(self, batch: Batch) -> Batch:
        self._add(len(batch.indices))
        return batch
