"""Random search: what evolution is compared with."""

import numpy as np

from diswot.search._trials import Trials
from diswot.search.engines._engine import EngineSettings
from search_spaces import Architecture


class RandomSearch:
    """Proposes random architectures in budget, each once (Bergstra and Bengio 2012, JMLR 13)."""

    def __init__(self, trials: Trials, settings: EngineSettings) -> None:
        self.total = settings.total
        self._trials = trials
        self._ahead = 2 * settings.population

    def needs(self, number: int) -> int:
        """Wait for none but to keep the line short."""
        return max(0, number - self._ahead)

    def propose(self, number: int, rng: np.random.Generator) -> Architecture | None:
        """Return a random architecture."""
        return self._trials.draw_any(rng)
