"""The value of a metric, with its 95 % interval."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """The value of a metric for one network on one split.

    Attributes:
        name: name of the metric, such as `accuracy` or `NME`.
        value: the value; fractions such as the accuracy are between 0 and 1.
        low: lower end of the 95 % interval.
        high: upper end of the 95 % interval.
        n: number of examples.
        unit: `%` for fractions, which are printed times 100; otherwise printed after the value.
        higher_is_better: whether higher values are better.

    Examples:
        >>> str(Measure("accuracy", 0.9, 0.826, 0.945, 100, unit="%"))
        '90.0 % [82.6, 94.5]'
        >>> small, large = (
        ...     Measure("NME", value, 0, 1, 9, higher_is_better=False) for value in (0.04, 0.06))
        >>> small.at_least_as_good_as(large)
        True
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    unit: str = ""
    higher_is_better: bool = True

    @property
    def rate(self) -> float:
        """Former name of `value` (version 0.1.0)."""
        return self.value

    @property
    def total(self) -> int:
        """Former name of `n` (version 0.1.0)."""
        return self.n

    @property
    def correct(self) -> int:
        """Value times number of examples; for an accuracy, the number of correct predictions."""
        return round(self.value * self.n)

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends of the 95 % interval."""
        return self.low, self.high

    def to_json(self) -> dict[str, Any]:
        """Return the measure as JSON values."""
        return dict(vars(self))

    def entries(self, what: str) -> dict[str, Any]:
        """Return value and interval as entries of a flat record.

        Args:
            what: prefix of the names, such as the split.

        Examples:
            >>> Measure("accuracy", 0.9, 0.826, 0.945, 100, unit="%").entries("test")
            {'test_accuracy': 0.9, 'test_accuracy_95': [0.826, 0.945]}
        """
        name = f"{what}_{self.name}"
        return {name: self.value, f"{name}_95": [self.low, self.high]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Measure":
        """Make a measure from the values of `to_json`.

        Raises:
            ValueError: a number is not finite, or n is below 1.
            KeyError: a value is missing.
            TypeError: a value has the wrong type.
        """
        value, low, high = (float(values[name]) for name in ("value", "low", "high"))
        n, better = values["n"], values["higher_is_better"]
        if not all(map(math.isfinite, (value, low, high))):
            raise ValueError(f"{value} [{low}, {high}] is not finite")
        if not isinstance(n, int) or n < 1 or not isinstance(better, bool):
            raise ValueError(f"n is {n!r}, higher_is_better {better!r}")
        return cls(str(values["name"]), value, low, high, n, str(values["unit"]), better)

    def at_least_as_good_as(self, other: "Measure") -> bool:
        """Return whether this value is equal to the other's or better."""
        return self.merit >= other.merit

    @property
    def merit(self) -> float:
        """The value, negated if lower is better, so that a higher merit is always better."""
        return self.value if self.higher_is_better else -self.value

    @property
    def heading(self) -> str:
        """Column heading with name, unit and direction, such as `accuracy in %`."""
        unit = f" in {self.unit}" if self.unit else ""
        return f"{self.name}{unit}{'' if self.higher_is_better else ' (lower is better)'}"

    @property
    def brief(self) -> str:
        """The value with its unit, without the interval."""
        return str(self).partition(" [")[0]

    def __str__(self) -> str:
        if self.unit == "%":
            value, low, high = (
                f"{100 * number:.1f}" for number in (self.value, self.low, self.high)
            )
            return f"{value} % [{low}, {high}]"
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.value:.4g}{unit} [{self.low:.4g}, {self.high:.4g}]"
