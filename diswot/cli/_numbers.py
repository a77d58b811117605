"""Parameter types of numeric options."""

import math
import re
from fractions import Fraction
from typing import Any

import click

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


class Count(click.ParamType[int]):
    """A positive integer with an optional unit k, M or G: `300k` is 300,000."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse `value`."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,40}(?:\.\d{1,40})?)([kMG]?)", str(value).strip(), re.ASCII)
        number = round(Fraction(match[1]) * _UNITS[match[2]]) if match else 0
        if number < 1:
            message = f"expected a positive number like 300k, 1.5M or 2G, but got {value!r}"
            self.fail(message, param, ctx)
        return number


class Whole(click.IntRange):
    """An integer in a range; the help shows the lower limit only."""

    name = "integer"

    def _describe_range(self) -> str:
        return f"x>={self.min}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse `value`."""
        number = int(click.INT.convert(value, param, ctx))
        try:
            return int(super().convert(number, param, ctx))
        except click.BadParameter:
            self.fail(f"{number} is not in the range {super()._describe_range()}.", param, ctx)


class Real(click.FloatRange):
    """A finite number in a range."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Parse `value`."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"expected a finite number, but got {value!r}", param, ctx)
        return number
