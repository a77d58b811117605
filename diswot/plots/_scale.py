"""Map values to positions on an axis, and choose round values for ticks."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

MARGIN = 0.04
"""Margin beyond the outermost values, as a fraction of the axis."""

TICKS = 5

TINY = 1e-290
"""Differences below this count as zero."""

DECADES = 1.5
"""Number of decades from which a logarithmic axis is used."""

HUGE, PLACES = 1e12, 6
"""Larger numbers, or numbers with more decimal places, are written with an exponent."""


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, linear or logarithmic; `whole` for integers.

    Examples:
        >>> scale = Scale(0.0, 10.0)
        >>> scale.place(2.5)
        0.25
        >>> [text for _, text in scale.ticks()]
        ['0', '2', '4', '6', '8', '10']
        >>> [text for _, text in Scale(8e4, 4e5, log=True).ticks()]
        ['100k', '200k']
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @classmethod
    def over(cls, values: Iterable[float], *, log: bool = False, whole: bool = False) -> "Scale":
        """Return an axis that covers all of `values`, with a margin."""
        known = list(values)
        low, high = min(known), max(known)
        if log:
            room = (high / low) ** MARGIN if high > low else 2.0
            return cls(low / room, high * room, log=True)
        room = MARGIN * (high - low) if high - low > TINY else abs(high)
        room = room if room > TINY else 1.0
        return cls(low - room, high + room, whole=whole)

    def place(self, value: float) -> float:
        """Return the position of `value`, 0 at the low end and 1 at the high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[tuple[float, str]]:
        """Return round values on the axis with their texts."""
        return self._powers() if self.log else self._steps()

    def _steps(self) -> list[tuple[float, str]]:
        step = _round_step((self.high - self.low) / TICKS)
        step = max(1.0, step) if self.whole else step
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        values = [index * step for index in range(first, last + 1)]
        unit, size = unit_of(max(abs(self.low), abs(self.high)))
        places = max(0, -math.floor(math.log10(step / size) + 1e-9))
        if places > PLACES or max(abs(self.low), abs(self.high)) >= HUGE:
            return [(value, _minus(f"{value:.3e}")) for value in values]
        written = (f"{value / size:.{places}f}{unit if value else ''}" for value in values)
        return list(zip(values, map(_minus, written), strict=True))

    def _powers(self) -> list[tuple[float, str]]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        factors = (1, 2, 5) if math.log10(self.high / self.low) < 2 * DECADES else (1,)
        values = [factor * 10.0**power for power in powers for factor in factors]
        return [(value, count(value)) for value in values if self.low <= value <= self.high]


def wants_log(values: Iterable[float]) -> bool:
    """Return whether values are positive and span enough decades for a logarithmic axis."""
    known = list(values)
    return min(known) > 0 and math.log10(max(known) / min(known)) >= DECADES


def _round_step(rough: float) -> float:
    """Round to the nearest of 1, 2 or 5 times a power of ten, by ratio."""
    power = 10.0 ** math.floor(math.log10(rough))
    return min((factor * power for factor in (1, 2, 5, 10)), key=lambda s: abs(math.log(s / rough)))


def _minus(text: str) -> str:
    return text.replace("-", "−")


def count(number: float) -> str:
    """Format a count with three digits and a unit.

    Examples:
        >>> count(278_324), count(0), count(12_000_000)
        ('278k', '0', '12M')
    """
    unit, size = unit_of(number)
    return f"{number / size:.3g}{unit}"


def unit_of(number: float) -> tuple[str, int]:
    """Return the unit prefix for a number, and its factor.

    Examples:
        >>> unit_of(-278_324), unit_of(12)
        (('k', 1000), ('', 1))
    """
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if abs(number) >= size:
            return unit, size
    return "", 1
