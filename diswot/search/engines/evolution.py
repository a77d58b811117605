"""The evolutionary engine, on DEAP: tournament, crossover, mutation, elitism."""

import numpy as np
from deap import base, tools

from diswot.search._history import History
from diswot.search.engines._engine import EngineSettings
from diswot.search.engines._variation import Individual, child_of, deap_seed
from search_spaces import Architecture

TOURNAMENT = 5


class _Fitness(base.Fitness):  # type: ignore[misc]
    weights = (1.0,)


class Evolution:
    """A (μ+λ) evolution strategy with μ = λ = population.

    The first generation is random. The parents of each further one are the best μ candidates
    of all earlier generations (elitism), selected in tournaments of five. Children are made by
    crossover and mutation, and redrawn until they are new and within the budget.
    """

    def __init__(self, history: History, settings: EngineSettings) -> None:
        self.total = settings.total
        self._history = history
        self._population = settings.population
        self._parents: list[Individual] = []
        self._parents_of = 0

    def needs(self, number: int) -> int:
        """Return the number of candidates of all earlier generations."""
        return number - number % self._population

    def propose(self, number: int, rng: np.random.Generator) -> Architecture | None:
        """Return a child of earlier generations, or in the first a random architecture."""
        parents = self._best(self.needs(number))
        if not parents:
            return self._history.draw_any(rng)

        def child() -> Architecture:
            chosen = tools.selTournament(parents, k=2, tournsize=TOURNAMENT)
            return child_of(self._history.space, chosen, rng)

        with deap_seed(rng):
            result = self._history.draw(child)
        return result if result is not None else self._history.draw_any(rng)

    def _best(self, known: int) -> list[Individual]:
        if known != self._parents_of:
            # Elitism: parents are the best of all generations, not of the last one.
            scores = self._history.scores(known)
            order = np.argsort(-scores, kind="stable")[: self._population]
            self._parents = [
                Individual(self._history.candidates[index].architecture, _Fitness((scores[index],)))
                for index in order
                if np.isfinite(scores[index])
            ]
            self._parents_of = known
        return self._parents
