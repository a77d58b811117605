"""What came of a training."""

from dataclasses import dataclass

from diswot.tasks import Measure
from diswot.training._metrics import Epoch


@dataclass(frozen=True)
class Training:
    """What came of a training.

    Attributes:
        objective: the loss.
        history: one record per epoch.
        best_epoch: the epoch whose weights were kept, the last of those with the best
            measure on the validation split.
        val: measure on the validation split at that epoch, which was selected by it.
        test: measure on the test split, on which nothing was selected.
        seconds: how long it took.
    """

    objective: str
    history: tuple[Epoch, ...]
    best_epoch: int
    val: Measure
    test: Measure
    seconds: float
