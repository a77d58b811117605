"""Training batches that are made from those of another source."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing

from torch import Tensor

from diswot.tasks import Batch, TrainingBatches


class WrappedBatches(TrainingBatches, ABC):
    """Base class of batches that are made from those of a source, which may read ahead.

    Args:
        source: batches of examples.
    """

    def __init__(self, source: TrainingBatches) -> None:
        self._source = source

    @property
    def fixed(self) -> bool:
        """Whether an example of the source is the same in every epoch."""
        return self._source.fixed

    @property
    def views(self) -> Mapping[str, str]:
        """The views that teachers get from the source."""
        return self._source.views

    @property
    def teachers_fixed(self) -> bool:
        """Whether teachers get the same examples from the source in every epoch."""
        return self._source.teachers_fixed

    def __call__(self, indices: Tensor) -> Batch:
        """Return the examples with `indices` (B,), by torch's global generator."""
        return self.wrapped(self._source(indices))

    def epoch(
        self, shares: Iterable[tuple[Tensor, int]], *, seed: int
    ) -> Generator[Batch, None, None]:
        """Yield the batches of an epoch; the source may read ahead."""
        with closing(self._source.epoch(shares, seed=seed)) as batches:
            yield from map(self.wrapped, batches)

    @abstractmethod
    def wrapped(self, batch: Batch) -> Batch:
        """Return a batch that is made from one of the source."""
