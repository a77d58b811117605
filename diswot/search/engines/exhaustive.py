"""Every architecture of a small space."""

from collections.abc import Iterator

import numpy as np

from diswot.errors import OptionError
from diswot.search._history import History
from diswot.search.engines._engine import EngineSettings
from search_spaces import Architecture

LARGEST = 10**6
"""Architectures of the largest space that is gone through."""


class Exhaustive:
    """Proposes all architectures in budget in the order of the space; generations do not count.

    Raises:
        OptionError: the space is infinite, or has more than a million architectures.
    """

    def __init__(self, history: History, settings: EngineSettings) -> None:
        size = history.space.size
        if size is None or size > LARGEST:
            raise OptionError(
                f"the engine exhaustive goes through at most {LARGEST:,} architectures, but the "
                f"space has {'infinitely many' if size is None else format(size, ',')}: "
                "choose --engine evolution"
            )
        self.total = size
        self._history = history
        self._ahead = 2 * settings.population
        self._left: Iterator[Architecture] = iter(history.space)

    def needs(self, number: int) -> int:
        """Wait for none but to keep the line short."""
        return max(0, number - self._ahead)

    def propose(self, number: int, rng: np.random.Generator) -> Architecture | None:
        """Return the next architecture."""
        return next((arch for arch in self._left if self._history.take(arch)), None)
