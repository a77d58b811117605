"""How many epochs or minutes short trainings and the trainings of the best may take together."""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from diswot.errors import OptionError
from diswot.search._brief_training import BriefTraining
from diswot.training import total_epochs

SHORT = 5
"""By default, a short training has 1/5 of the epochs of a full one."""

AT_ONCE = 4
"""Trainings that are proposed together, whatever the number of workers, so that their number
does not change the result."""

_TOTAL = re.compile(r"([0-9]+(?:\.[0-9]+)?)(x|min)")


@dataclass(frozen=True)
class Plan:
    """How a training budget is divided.

    Attributes:
        trainings: short ones, at most; `None` for as many as `seconds` allow.
        epochs: of each.
        shortlist: students that are trained on, by successive halving; `None` as asked for.
        whole: epochs of a full training, where `total` or `seconds` are given.
        total: epochs of all trainings together, up to the winner's.
        seconds: of all trainings together, in place of `total`.
        refilled: whether epochs that a training stopped early has saved go to further ones.
    """

    trainings: int | None
    epochs: int
    shortlist: int | None = None
    whole: int = 0
    total: int = 0
    seconds: float | None = None
    refilled: bool = False

    def left(self, done: Collection[BriefTraining]) -> int:
        """Return how many short trainings may follow those that are done."""
        if self.trainings is not None:
            spent = sum(each.spent for each in done)
            epochs_left = self.trainings * self.epochs - spent
            return epochs_left // self.epochs if self.refilled else self.trainings - len(done)
        if not done:
            return AT_ONCE
        each = seconds_per_epoch(done)
        total = self.seconds or 0.0
        allowed = min(total / 2, total - self.whole * each) - sum(one.seconds for one in done)
        return max(0, int(allowed / max(each * self.epochs, 1e-9)))

    @property
    def adaptive(self) -> bool:
        """Whether fewer short trainings may be run, so that more are trained in full."""
        return self.refilled or (self.seconds is not None and self.trainings is None)

    def full(self, done: Collection[BriefTraining], more: int) -> int:
        """Return how many full trainings are left after `more` further short ones, at least 1."""
        spent, total = float(sum(each.spent for each in done)), float(self.total)
        if self.seconds is not None:
            each = max(seconds_per_epoch(done), 1e-9)
            spent, total = sum(one.seconds for one in done) / each, self.seconds / each
        return max(1, int((total - spent - more * self.epochs) / self.whole))


@dataclass(frozen=True)
class TrainingBudget:
    """Limits on the trainings of a search.

    Attributes:
        trainings: short ones; `None` for half of the total.
        epochs: of a short training; `None` for a fifth of a full one.
        total: epochs of all trainings over those of one full training; `None` for no limit.
        minutes: of all trainings, in place of `total`.

    Raises:
        OptionError: a value is out of range.

    Examples:
        >>> TrainingBudget.chosen(None, None, "6x").plan(20)  # doctest: +ELLIPSIS
        Plan(trainings=15, epochs=4, shortlist=4, ...)
        >>> TrainingBudget.chosen(10, 3, None).plan(20)  # doctest: +ELLIPSIS
        Plan(trainings=10, epochs=3, shortlist=None, ...)
    """

    trainings: int | None = None
    epochs: int | None = None
    total: float | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        for value in (self.trainings, self.epochs, self.total, self.minutes):
            if value is not None and (isinstance(value, bool) or not 0 <= value < math.inf):
                raise OptionError(f"Expected a budget of trainings of at least 0, but got {value}")
        if self.epochs == 0:
            raise OptionError("Expected short trainings of at least 1 epoch, but got 0")

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
            OptionError: the total is not written like `6x` or `10min`, or is less than one full
                training; or epochs are given without trainings.
        """
        if total is None:
            if epochs is not None and not trainings:
                raise OptionError(
                    f"--training-epochs {epochs} applies to short trainings: give their number "
                    f"too, for example "
                    "--trainings 20"
                )
            return cls(trainings or 0, epochs)
        match = _TOTAL.fullmatch(total)
        amount, unit = (float(match[1]), match[2]) if match else (0.0, "x")
        if (amount < 1 and unit == "x") or amount == 0:
            raise OptionError(
                "Expected --train-budget as a number of full trainings of at least 1x, for "
                f"example 6x, or as minutes, for example 10min, but got {total!r}"
            )
        if unit == "min":
            return cls(trainings, epochs, minutes=amount)
        return cls(trainings, epochs, amount)

    def __bool__(self) -> bool:
        """Whether anything is trained for the search."""
        return bool(self.trainings) or self.divided

    @property
    def divided(self) -> bool:
        """Whether it is of all trainings, so that it says how many students are trained on."""
        return self.total is not None or self.minutes is not None

    def __str__(self) -> str:
        """The total as it is asked for; without one, the number of short trainings."""
        if self.minutes is not None:
            return f"{self.minutes:g}min"
        return f"{self.trainings or 0} trainings" if self.total is None else f"{self.total:g}x"

    def plan(self, whole: int, done: Collection[BriefTraining] = ()) -> Plan:
        """Divide the budget: at most half for short trainings, the rest for those of the best.

        Args:
            whole: epochs of a full training.
            done: short trainings, whose epochs or time are spent.

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
        if self.minutes is not None:
            return self._of_time(epochs, whole, done)
        if self.total is None:
            return Plan(self.trainings or 0, epochs)
        total = int(self.total * whole)
        asked = self.trainings is not None
        count = self.trainings or 0 if asked else min(total // 2, total - whole) // epochs
        left = total - count * epochs
        if left < whole:
            raise OptionError(
                f"{count} trainings of {epochs} epochs leave {left} of the {total} epochs of "
                f"--train-budget {self}, and the winner needs {whole}: take fewer or "
                "shorter ones"
            )
        if done:
            left = total - sum(each.spent for each in done)
        shortlist = _shortlist(whole, left, max(count, left // whole))
        return Plan(count, epochs, shortlist, whole, total, refilled=not asked)

    def _of_time(self, epochs: int, whole: int, done: Collection[BriefTraining]) -> Plan:
        seconds = 60 * (self.minutes or 0.0)
        left = seconds - sum(each.seconds for each in done)
        each = seconds_per_epoch(done)
        shortlist = _shortlist(whole, int(left / each) if each else 0, len(done))
        return Plan(self.trainings, epochs, shortlist, whole, seconds=seconds)


def seconds_per_epoch(done: Collection[BriefTraining]) -> float:
    """Return what an epoch of short trainings took; 0 without any."""
    return sum(item.seconds for item in done) / max(sum(item.spent for item in done), 1)


def _shortlist(whole: int, left: int, most: int) -> int:
    """Return how many students can be trained on in so many epochs; at least one."""
    shortlist = 1
    while shortlist < most and total_epochs(shortlist + 1, whole) <= left:
        shortlist += 1
    return shortlist
