"""The length into which most token sequences of a dataset fit."""

from collections.abc import Sequence
from typing import Any

MOST_INFERRED = 128
"""Maximum of the inferred length, in tokens."""


def usual_length(tokens: Sequence[Sequence[Any]]) -> int:
    """Return the smallest multiple of 8 into which 90 % of the sequences fit, at most 128.

    Examples:
        >>> usual_length([[0] * 9] * 9 + [[0] * 99])
        16
    """
    lengths = sorted(len(own) for own in tokens)
    least = lengths[max(0, -(-9 * len(lengths) // 10) - 1)]
    return min(MOST_INFERRED, -(-least // 8) * 8)
