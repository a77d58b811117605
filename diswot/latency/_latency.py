"""The interface of latency sources."""

from typing import Protocol

from search_spaces import Architecture


class Latency(Protocol):
    """A latency source: (architecture) → milliseconds of one forward pass.

    Attributes:
        name: description of the source.
        repeatable: whether the same architecture always gets the same number.
    """

    @property
    def name(self) -> str:
        """Description of the source."""

    @property
    def repeatable(self) -> bool:
        """Whether the same architecture always gets the same number."""

    def __call__(self, arch: Architecture) -> float:
        """Return the latency of `arch` in milliseconds.

        Raises:
            DiswotError: it cannot be determined; the message names the architecture.
        """
