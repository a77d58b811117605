"""Parameter limits of clients."""

import re
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

from diswot.errors import OptionError

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


def limits_of(given: Any, clients: int) -> list[int | None]:
    """Return the parameter limit of every client; `None` for the limit of the run.

    Args:
        given: numbers, or a text of numbers that are separated by commas, repeated in order.
        clients: number of clients.

    Raises:
        OptionError: a limit is not a positive number.

    Examples:
        >>> limits_of("100k,0.3M", 3)
        [100000, 300000, 100000]
    """
    if given is None:
        return [None] * clients
    parts: Sequence[Any] = given.split(",") if isinstance(given, str) else [given]
    if isinstance(given, Sequence) and not isinstance(given, str):
        parts = given
    if not parts:
        raise OptionError("Expected client params to be numbers, but got none")
    return list(islice(cycle(map(_limit, parts)), clients))


def _limit(given: Any) -> int:
    match = re.fullmatch(r"(\d{1,20}(?:\.\d{1,20})?)([kMG]?)", str(given).strip(), re.ASCII)
    limit = round(float(match[1]) * _UNITS[match[2]]) if match else 0
    if limit < 1:
        raise OptionError(
            f"Expected client params to be positive numbers such as 100k,300k, but got {given!r}"
        )
    return limit
