"""Sort the names of classes, and abbreviate long lists of names in messages."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

from diswot.errors import DataError

NAMED = 3
"""Number of items that a message lists; of further ones it gives the number."""

_T = TypeVar("_T")
_NUMBER = re.compile(r"-?\d+", re.ASCII)


def named(items: Sequence[_T], described: Callable[[_T], str] = str) -> str:
    """Return a list of the first few items as text, and the number of further ones.

    Args:
        items: the items.
        described: returns the text of an item.
    """
    more = f" and {len(items) - NAMED:,} more" if len(items) > NAMED else ""
    return ", ".join(map(described, items[:NAMED])) + more


def in_order(names: Iterable[str]) -> list[str]:
    """Sort the names of classes: as numbers if all are integers, otherwise as text.

    Raises:
        DataError: two names are the same number, so that their order is ambiguous.

    Examples:
        >>> in_order(["10", "2", "1"]), in_order(["b10", "b2"])
        (['1', '2', '10'], ['b10', 'b2'])
    """
    results = sorted(names)
    if not all(_NUMBER.fullmatch(name) for name in results):
        return results
    by_number = sorted(results, key=int)
    for one, other in pairwise(by_number):
        if int(one) == int(other):
            raise DataError(
                f"the classes {one} and {other} are the same number: rename or join them"
            )
    return by_number
