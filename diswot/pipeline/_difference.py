"""The difference of two accuracies on the same images, with its interval."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

NORMAL = 1.959964
"""The quantile of the normal distribution for 95 %."""


@dataclass(frozen=True)
class Difference:
    """One accuracy minus another on the same images, with its 95 % interval, as shares.

    Examples:
        >>> str(Difference(-0.012, -0.03, 0.006))
        '−1.2 points [−3.0, +0.6]'
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        value, low, high = (
            f"{100 * each:+.1f}".replace("-", "−") for each in (self.value, self.low, self.high)
        )
        return f"{value} points [{low}, {high}]"

    def to_json(self) -> dict[str, float]:
        """Return the difference as plain values."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Difference":
        """Read back what `to_json` returned.

        Raises:
            ValueError: a number is not finite.
            KeyError: one is missing.
            TypeError: one is no number.
        """
        found = cls(*(float(values[name]) for name in ("value", "low", "high")))
        if not all(map(math.isfinite, vars(found).values())):
            raise ValueError(f"{found} is not finite")
        return found


def paired_difference(one: Tensor, other: Tensor) -> Difference:
    """Return the accuracy of `one` minus that of `other`, with its 95 % interval.

    With b images that only the first has right and c that only the second has, of n, the
    difference is (b − c) / n. The interval is Wald's after adding half an image to each of the
    four cells: (b − c) / (n + 2) ± z · √(b + c + 1 − (b − c)² / (n + 2)) / (n + 2). Images that
    both have right or wrong change nothing but the scale of the difference, so the interval is
    narrower than what two separate intervals leave open.

    Source: Agresti and Min, "Simple improved confidence intervals for comparing matched
    proportions", Statistics in Medicine 24, 2005, section 3.

    Args:
        one: whether each image is classified correctly (N,).
        other: the same of another network, of the same images in the same order (N,).

    Raises:
        ValueError: they are of different numbers of images, or of none.

    Examples:
        >>> import torch
        >>> right = torch.arange(100) < 90
        >>> str(paired_difference(right, torch.arange(100) < 80))
        '+10.0 points [+3.7, +15.9]'
        >>> paired_difference(right, right).value
        0.0
    """
    if one.shape != other.shape or one.ndim != 1 or not len(one):
        raise ValueError(
            f"Expected two vectors of the same images, but got shapes {tuple(one.shape)} and "
            f"{tuple(other.shape)}"
        )
    first, second = one.bool(), other.bool()
    gained, lost = int((first & ~second).sum()), int((second & ~first).sum())
    count = len(one) + 2
    centre = (gained - lost) / count
    reach = NORMAL * math.sqrt(gained + lost + 1 - (gained - lost) ** 2 / count) / count
    return Difference((gained - lost) / len(one), centre - reach, centre + reach)
