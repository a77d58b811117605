"""The training budget: epochs of short trainings and of the best students' trainings."""

import math
import re
from dataclasses import dataclass

from diswot.errors import OptionError
from diswot.training import total_epochs

SHORT = 5
"""By default, a short training has 1/5 of the epochs of a full one."""

_TIMES = re.compile(r"([0-9]+(?:\.[0-9]+)?)x")


@dataclass(frozen=True)
class Plan:
    """How a training budget is divided.

    Attributes:
        trainings: maximal number of short trainings.
        epochs: epochs of each short training.
        shortlist: number of students that enter successive halving afterwards; `None` leaves
            it to the option.
    """

    trainings: int
    epochs: int
    shortlist: int | None = None


@dataclass(frozen=True)
class TrainingBudget:
    """Limits on the trainings of a search.

    Attributes:
        trainings: number of short trainings; `None` spends half of `total` on them.
        epochs: epochs of a short training; `None` for a fifth of a full one.
        total: epochs of all trainings together, as a multiple of one full training; `None` for
            no limit.

    Raises:
        OptionError: a value is out of range.

    Examples:
        >>> TrainingBudget.chosen(None, None, "6x").plan(20)
        Plan(trainings=15, epochs=4, shortlist=4)
        >>> TrainingBudget.chosen(10, 3, None).plan(20)
        Plan(trainings=10, epochs=3, shortlist=None)
    """

    trainings: int | None = None
    epochs: int | None = None
    total: float | None = None

    def __post_init__(self) -> None:
        for value in (self.trainings, self.epochs, self.total):
            if value is not None and (isinstance(value, bool) or not 0 <= value < math.inf):
                raise OptionError(f"Expected a budget of trainings of at least 0, but got {value}")

    @classmethod
    def chosen(
        cls, trainings: int | None, epochs: int | None, total: str | None
    ) -> "TrainingBudget":
        """Return the budget for given options.

        Args:
            trainings: the option `--trainings`.
            epochs: the option `--training-epochs`.
            total: the option `--train-budget`, such as `6x`.

        Raises:
            OptionError: the total is not written like `6x` or is below `1x`, or epochs are
                given without trainings.
        """
        if total is None:
            if epochs is not None and not trainings:
                raise OptionError(
                    f"--training-epochs {epochs} applies to short trainings: give their number "
                    f"too, for example "
                    "--trainings 20"
                )
            return cls(trainings or 0, epochs)
        found = _TIMES.fullmatch(total)
        if found is None or float(found[1]) < 1:
            raise OptionError(
                "Expected --train-budget as a number of full trainings of at least 1x, for "
                f"example 6x, but got {total!r}"
            )
        return cls(trainings, epochs, float(found[1]))

    def __bool__(self) -> bool:
        """Whether the search trains any candidates."""
        return bool(self.trainings) or self.total is not None

    def plan(self, whole: int) -> Plan:
        """Divide the budget: half for short trainings, the rest for training the best students.

        Args:
            whole: epochs of a full training.

        Raises:
            OptionError: short trainings are longer than full ones, or leave too few epochs to
                train the winner.
        """
        epochs = max(1, whole // SHORT) if self.epochs is None else self.epochs
        if epochs > whole:
            raise OptionError(
                f"Expected --training-epochs of at most {whole}, those of a full training, but got "
                f"{epochs}"
            )
        if self.total is None:
            return Plan(self.trainings or 0, epochs)
        total = int(self.total * whole)
        asked = self.trainings is not None
        count = self.trainings or 0 if asked else min(total // 2, total - whole) // epochs
        left = total - count * epochs
        if left < whole:
            raise OptionError(
                f"{count} trainings of {epochs} epochs leave {left} of the {total} epochs of "
                f"--train-budget {self.total:g}x, and the winner needs {whole}: take fewer or "
                "shorter ones"
            )
        # The longest shortlist whose successive halving fits into the rest.
        shortlist = 1
        while total_epochs(shortlist + 1, whole) <= left and shortlist < count:
            shortlist += 1
        return Plan(count, epochs, max(shortlist, 1))
