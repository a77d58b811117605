"""Random search, the baseline of other engines."""

import numpy as np

from diswot.search._history import History
from diswot.search.engines._engine import EngineSettings
from search_spaces import Architecture


class RandomSearch:
    """Proposes random architectures within the budget (Bergstra and Bengio 2012, JMLR 13)."""

    def __init__(self, history: History, settings: EngineSettings) -> None:
        self.total = settings.total
        self._history = history
        self._ahead = 2 * settings.population

    def needs(self, number: int) -> int:
        """Depend on no scores, but stay at most two populations ahead of the evaluations."""
        return max(0, number - self._ahead)

    def propose(self, number: int, rng: np.random.Generator) -> Architecture | None:
        """Return a random architecture that is new and within the budget."""
        return self._history.draw_any(rng)
