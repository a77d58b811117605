"""Batches of the selected images of a pool."""

from collections.abc import Callable, Generator, Iterable

from torch import Tensor

from diswot.methods._unlabeled import UnlabeledBatches
from diswot.tasks import Batch, TrainingBatches


class SelectedBatches(UnlabeledBatches):
    """Augmented batches of the selected images, in turn, without labels.

    Args:
        source: augmented batches of the whole pool.
        selected: returns the indices (n,) of the selected images in the pool.
    """

    def __init__(self, source: TrainingBatches, selected: Callable[[], Tensor]) -> None:
        super().__init__(source)
        self._selected = selected

    def __call__(self, indices: Tensor) -> Batch:
        """Return the images at positions `indices` (B,) of the epoch."""
        return self.pool(_in_turn(self._selected(), indices))

    def pool(self, indices: Tensor) -> Batch:
        """Return the images at `indices` (B,) of the pool, augmented."""
        return super().__call__(indices)

    def epoch(
        self, shares: Iterable[tuple[Tensor, int]], *, seed: int
    ) -> Generator[Batch, None, None]:
        """Return the batches of an epoch, all of the same selection."""
        selected = self._selected()
        chosen = ((_in_turn(selected, positions), own) for positions, own in shares)
        return super().epoch(chosen, seed=seed)


def _in_turn(selected: Tensor, positions: Tensor) -> Tensor:
    return selected[positions % len(selected)]
