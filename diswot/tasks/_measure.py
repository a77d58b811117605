"""What a metric found, with its interval."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """One metric of one network on one split.

    Attributes:
        name: of the metric, such as `accuracy` or `NME`.
        value: what was found; shares are between 0 and 1.
        low: lower end of the 95 % interval.
        high: upper end of the 95 % interval.
        n: examples that it was measured on.
        unit: `%` for shares, which are printed times 100; otherwise printed as it is.
        higher_is_better: which way is better.

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
        """The value, as version 0.1.0 called it."""
        return self.value

    @property
    def total(self) -> int:
        """The number of examples, as version 0.1.0 called it."""
        return self.n

    @property
    def correct(self) -> int:
        """Value times examples: of an accuracy, how many were classified correctly."""
        return round(self.value * self.n)

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends of the 95 % interval."""
        return self.low, self.high

    def to_json(self) -> dict[str, Any]:
        """Return the measure as plain values."""
        return dict(vars(self))

    def entries(self, what: str) -> dict[str, Any]:
        """Return value and interval as entries of a record.

        Examples:
            >>> Measure("accuracy", 0.9, 0.826, 0.945, 100, unit="%").entries("test")
            {'test_accuracy': 0.9, 'test_accuracy_95': [0.826, 0.945]}
        """
        name = f"{what}_{self.name}"
        return {name: self.value, f"{name}_95": [self.low, self.high]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Measure":
        """Read back what `to_json` returned.

        Raises:
            ValueError: a number is not finite, or n is below 1.
            KeyError: something is missing.
            TypeError: something is of another type.
        """
        value, low, high = (float(values[name]) for name in ("value", "low", "high"))
        n, better = values["n"], values["higher_is_better"]
        if not all(map(math.isfinite, (value, low, high))):
            raise ValueError(f"{value} [{low}, {high}] is not finite")
        if not isinstance(n, int) or n < 1 or not isinstance(better, bool):
            raise ValueError(f"n is {n!r}, higher_is_better {better!r}")
        return cls(str(values["name"]), value, low, high, n, str(values["unit"]), better)

    def at_least_as_good_as(self, other: "Measure") -> bool:
        """Return whether this value is the other's or better."""
        return self.merit >= other.merit

    @property
    def merit(self) -> float:
        """The value, or minus the value where lower is better: higher is better."""
        return self.value if self.higher_is_better else -self.value

    @property
    def heading(self) -> str:
        """Name, unit and which way is better, such as `accuracy in %`, for the head of a table."""
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
