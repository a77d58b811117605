"""What came of a training."""

from dataclasses import dataclass, field

from torch import Tensor

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
        test_values: the metric's value of each example of the test split (n,); `None` where there
            are none, or where the training was read from a folder.
    """

    objective: str
    history: tuple[Epoch, ...]
    best_epoch: int
    val: Measure
    test: Measure
    seconds: float
    test_values: Tensor | None = field(default=None, repr=False, compare=False)
