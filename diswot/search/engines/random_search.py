"""Random search: what evolution is compared with."""

import numpy as np

from diswot.search._history import History
from diswot.search.engines._engine import EngineSettings
from search_spaces import Architecture


class RandomSearch:
    """Proposes random architectures in budget, each once (Bergstra and Bengio 2012, JMLR 13)."""

    def __init__(self, history: History, settings: EngineSettings) -> None:
        self.total = settings.total
        self._history = history
        self._ahead = 2 * settings.population

    def needs(self, number: int) -> int:
        """Wait for none but to keep the line short."""
        return max(0, number - self._ahead)

    def propose(self, number: int, rng: np.random.Generator) -> Architecture | None:
        """Return a random architecture."""
        return self._history.draw_any(rng)
