"""Sort the names of classes, and abbreviate long lists of names in messages."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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


def class_names(name: str, labels: Mapping[str, Iterable[str]], *, of: str) -> list[str]:
    """Return the names of the classes of training examples, in order.

    Args:
        name: name of the data, for messages.
        labels: split → names of the examples' classes.
        of: what one example is called in messages.

    Raises:
        DataError: the training examples have fewer than two classes, or other examples have a
            class that none of them has.

    Examples:
        >>> class_names("pets", {"train": ["dog", "cat", "dog"], "test": ["cat"]}, of="text")
        ['cat', 'dog']
    """
    names = set(labels["train"])
    if len(names) < 2:
        raise DataError(
            f"{name} has one class of training {of}s, {', '.join(names)!r}: give {of}s of two or "
            "more"
        )
    for split, used in labels.items():
        if strange := sorted(set(used) - names):
            raise DataError(
                f"{name} has classes in {split} that no training {of} has: {named(strange)}; give "
                "both the same classes"
            )
    return in_order(names)


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
