"""What every way to know a latency offers."""

from typing import Protocol

from search_spaces import Architecture


class Latency(Protocol):
    """Milliseconds of one forward pass of an architecture's network.

    Attributes:
        name: where the number comes from, in words.
        repeatable: whether the same architecture always gets the same number.
    """

    @property
    def name(self) -> str:
        """Where the number comes from."""

    @property
    def repeatable(self) -> bool:
        """Whether the same architecture always gets the same number."""

    def __call__(self, arch: Architecture) -> float:
        """Return the milliseconds of `arch`.

        Raises:
            DiswotError: they cannot be had; the message names the architecture.
        """
