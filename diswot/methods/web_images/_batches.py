"""Batches of the selected images of a pool."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import replace

from torch import Tensor

from diswot.tasks import Batch, TrainingBatches


class SelectedBatches(TrainingBatches):
    """Augmented batches of the selected images, without labels.

    Args:
        source: augmented batches of the whole pool.
        selected: (positions in the epoch) → indices of images in the pool.
    """

    fixed = False
    views: Mapping[str, str] = {}

    def __init__(self, source: TrainingBatches, selected: Callable[[Tensor], Tensor]) -> None:
        self._source, self._selected = source, selected

    def __call__(self, indices: Tensor) -> Batch:
        """Return the images at positions `indices` (B,) of the epoch."""
        return _unlabeled(self._source(self._selected(indices)))

    def pool(self, indices: Tensor) -> Batch:
        """Return the images at `indices` (B,) of the pool, augmented."""
        return _unlabeled(self._source(indices))

    def epoch(
        self, shares: Iterable[tuple[Tensor, int]], *, seed: int
    ) -> Generator[Batch, None, None]:
        """Yield the batches of an epoch; the source may read ahead."""
        chosen = ((self._selected(indices), own) for indices, own in shares)
        with closing(self._source.epoch(chosen, seed=seed)) as batches:
            yield from map(_unlabeled, batches)


def _unlabeled(batch: Batch) -> Batch:
    return replace(batch, targets=None, labels=None)
