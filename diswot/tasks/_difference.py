"""Paired difference of a metric between two networks, with its 95 % interval."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

NORMAL = 1.959964
"""Quantile of the standard normal distribution for two-sided 95 % intervals."""


@dataclass(frozen=True)
class Difference:
    """One network's metric minus another's on the same examples, with its 95 % interval.

    Attributes:
        value: the difference.
        low: lower end of the interval.
        high: upper end of the interval.
        unit: unit of the metric; differences of fractions (`%`) are printed as points.

    Examples:
        >>> str(Difference(-0.012, -0.03, 0.006))
        '−1.2 points [−3.0, +0.6]'
        >>> str(Difference(0.25, 0.125, 0.375, unit="px"))
        '+0.25 px [+0.125, +0.375]'
    """

    value: float
    low: float
    high: float
    unit: str = "%"

    def __str__(self) -> str:
        numbers = self.value, self.low, self.high
        if self.unit == "%":
            texts, unit = [f"{100 * number:+.1f}" for number in numbers], "points"
        else:
            texts, unit = [f"{number:+.3g}" for number in numbers], self.unit
        value, low, high = (text.replace("-", "−") for text in texts)
        return f"{value}{unit and f' {unit}'} [{low}, {high}]"

    def to_json(self) -> dict[str, Any]:
        """Return the difference as JSON values."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Difference":
        """Make a difference from the values of `to_json`.

        Raises:
            ValueError: a number is not finite.
            KeyError: a value is missing.
            TypeError: a value is not a number.
        """
        value, low, high = (float(values[name]) for name in ("value", "low", "high"))
        if not all(map(math.isfinite, (value, low, high))):
            raise ValueError(f"{value} [{low}, {high}] is not finite")
        return cls(value, low, high, str(values.get("unit", "%")))


def check_paired(one: Tensor, other: Tensor) -> None:
    """Make sure that two vectors of values can be paired.

    Raises:
        ValueError: they are not vectors of the same length, or are empty.
    """
    if one.shape != other.shape or one.ndim != 1 or not len(one):
        raise ValueError(
            f"Expected two vectors of the same examples, but got shapes {tuple(one.shape)} and "
            f"{tuple(other.shape)}"
        )


def mean_difference(one: Tensor, other: Tensor, *, unit: str = "%") -> Difference:
    """Return the mean of `one − other` with the 95 % interval of Student's t.

    Args:
        one: a value per example (n,).
        other: values of another network for the same examples, in the same order (n,).
        unit: of the values.

    Raises:
        ValueError: they are of different numbers of examples, or of none.

    Examples:
        >>> import torch
        >>> str(mean_difference(torch.tensor([1.0, 2.0, 3.0]), torch.zeros(3), unit=""))
        '+2 [−0.484, +4.48]'
    """
    from scipy.stats import t  # imported here: commands that compare nothing need not wait for it

    check_paired(one, other)
    each = one.double() - other.double()
    mean, count = float(each.mean()), len(each)
    if count == 1:
        return Difference(mean, -math.inf, math.inf, unit)
    reach = float(t.ppf(0.975, count - 1)) * float(each.std()) / math.sqrt(count)
    return Difference(mean, mean - reach, mean + reach, unit)
