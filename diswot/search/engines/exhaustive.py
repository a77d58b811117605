"""Exhaustive search: every architecture of a small space."""

from collections.abc import Iterator

import numpy as np

from diswot.errors import OptionError
from diswot.search._history import History
from diswot.search.engines._engine import EngineSettings
from search_spaces import Architecture

LARGEST = 10**6
"""Size of the largest space that can be searched exhaustively."""


class Exhaustive:
    """Proposes all architectures within the budget, in the order of the space.

    The number of generations is ignored.

    Raises:
        OptionError: the space is infinite, or has more than a million architectures.
    """

    def __init__(self, history: History, settings: EngineSettings) -> None:
        size = history.space.size
        if size is None or size > LARGEST:
            raise OptionError(
                f"the engine exhaustive evaluates at most {LARGEST:,} architectures, but the "
                f"space has {'infinitely many' if size is None else format(size, ',')}: "
                "choose --engine evolution"
            )
        self.total = size
        self._history = history
        self._ahead = 2 * settings.population
        self._left: Iterator[Architecture] = iter(history.space)

    def needs(self, number: int) -> int:
        """Depend on no scores, but stay at most two populations ahead of the evaluations."""
        return max(0, number - self._ahead)

    def propose(self, number: int, rng: np.random.Generator) -> Architecture | None:
        """Return the next architecture within the budget."""
        return next((arch for arch in self._left if self._history.take(arch)), None)
