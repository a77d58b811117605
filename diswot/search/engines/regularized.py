"""Regularized evolution: the oldest candidate is dropped."""

import numpy as np

from diswot.search._history import History
from diswot.search.engines._engine import EngineSettings
from search_spaces import Architecture

TOURNAMENT = 4
"""The tournament size is 1/4 of the population, as in the paper (25 of 100)."""


class Regularized:
    """Aging evolution (Real et al. 2019, AAAI 33, algorithm 1).

    The population consists of the most recent candidates. Each proposal is a mutation of the
    best of a random quarter of them. There are no generations: proposals do not wait for the
    most recent half a population, so that candidates can be evaluated in parallel.
    """

    def __init__(self, history: History, settings: EngineSettings) -> None:
        self.total = settings.total
        self._history = history
        self._population = settings.population
        self._ahead = max(1, settings.population // 2)

    def needs(self, number: int) -> int:
        """Return the number of candidates before the most recent half a population."""
        return max(0, number - self._ahead)

    def propose(self, number: int, rng: np.random.Generator) -> Architecture | None:
        """Return a mutation of a good recent candidate; at first random architectures."""
        # The population: the most recent candidates that have a score.
        known = self.needs(number)
        scores = self._history.scores(known)
        latest = range(max(0, known - self._population), known)
        living = [index for index in latest if np.isfinite(scores[index])]
        if number < self._population or not living:
            return self._history.draw_any(rng)
        # A tournament selects the parent, and its mutant is proposed if it is new.
        size = min(len(living), max(2, self._population // TOURNAMENT))

        def mutant() -> Architecture:
            parent = max(rng.choice(living, size, replace=False), key=lambda index: scores[index])
            arch = self._history.candidates[parent].architecture
            return self._history.space.mutate(arch, rng)

        result = self._history.draw(mutant)
        return result if result is not None else self._history.draw_any(rng)
