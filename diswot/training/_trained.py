"""What came of a training."""

from dataclasses import dataclass

from diswot.training._judging import Accuracy
from diswot.training._metrics import Epoch


@dataclass(frozen=True)
class Training:
    """What came of a training.

    Attributes:
        objective: the loss.
        history: one record per epoch.
        best_epoch: the epoch whose weights were kept, the last of those with the
            highest accuracy on the validation split.
        val: accuracy on the validation split at that epoch; it was chosen for it.
        test: accuracy on the test split, on which nothing was selected.
        seconds: how long it took.
    """

    objective: str
    history: tuple[Epoch, ...]
    best_epoch: int
    val: Accuracy
    test: Accuracy
    seconds: float
