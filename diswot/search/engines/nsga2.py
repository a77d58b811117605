"""NSGA-II: a multi-objective search for high scores at low costs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from deap import base, tools

from diswot.search._history import History
from diswot.search._selection import SCORE, merit_of
from diswot.search.engines._engine import EngineSettings
from diswot.search.engines._variation import Individual, child_of, deap_seed
from search_spaces import Architecture

FAILED = 1e9
"""Budget violation that is assigned to candidates that could not be scored."""


class _Fitness(base.Fitness):  # type: ignore[misc]
    """Objectives to maximize, or the violation of the budget.

    Constrained domination (Deb et al. 2002, definition 1): a candidate within the budget
    dominates one that is over it; of two over it, the smaller violation dominates.
    """

    weights: tuple[float, ...] = (1.0,)

    def __init__(self, values: Sequence[float] = (), violation: float = 0.0) -> None:
        self.violation = violation
        self.weights = (1.0,) * max(1, len(values))
        super().__init__(values)

    def dominates(self, other: "_Fitness", obj: slice = slice(None)) -> bool:
        """Return whether this individual dominates the other."""
        if self.violation or other.violation:
            return self.violation < other.violation
        return bool(super().dominates(other, obj))


class NSGA2:
    """Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm", IEEE TEC 6(2).

    Parents are selected in binary tournaments by domination and crowding distance. Children are
    made as in `evolution`, but may be over the budget: these are not scored, and small
    violations are preferred, which leads back into the budget. Of parents and children, the
    first fronts survive; of the last front, those with the largest crowding distance.
    """

    def __init__(self, history: History, settings: EngineSettings) -> None:
        self.total = settings.total
        self._history = history
        self._population = settings.population
        self._objectives = settings.objectives
        self._survivors: list[_Member] = []
        self._born = 0

    def needs(self, number: int) -> int:
        """Return the number of candidates of all earlier generations."""
        return number - number % self._population

    def propose(self, number: int, rng: np.random.Generator) -> Architecture | None:
        """Return a child of the survivors, or in the first generation a random architecture."""
        self._survive(self.needs(number))
        space = self._history.space

        def child() -> Architecture:
            if not self._survivors:
                return space.sample(rng)
            return child_of(space, tools.selTournamentDCD(self._survivors, 4)[:2], rng)

        with deap_seed(rng):
            result = self._history.draw(child, over_budget=True)
        return result if result is not None else self._history.draw_any(rng)

    def _survive(self, known: int) -> None:
        """Apply the selection of every generation among the first `known` candidates."""
        while self._born < known:
            # Combine the survivors with the next generation, and select among both.
            born = range(self._born, min(known, self._born + self._population))
            numbers = [*(member.number for member in self._survivors), *born]
            scores = self._history.scores(born.stop, of=numbers)
            members = [self._member(*item) for item in zip(numbers, scores, strict=True)]
            self._survivors = survivors(members, self._population)
            self._born = born.stop

    def _member(self, number: int, score: float) -> "_Member":
        candidate = self._history.candidates[number]
        if not candidate.within_budget or not np.isfinite(score):
            # Constrained domination: whatever is in budget is better, else the smaller violation.
            violation = candidate.violation or FAILED
            worst = (-violation,) * len(self._objectives)
            return _Member(candidate.architecture, _Fitness(worst, violation), number)
        values = [
            float(score) if objective == SCORE else merit_of(candidate, objective)
            for objective in self._objectives
        ]
        return _Member(candidate.architecture, _Fitness(values), number)


@dataclass
class _Member(Individual):
    """An individual with the number of its candidate."""

    number: int


def survivors(members: Sequence[_Member], count: int) -> list[_Member]:
    """Select `count` members: the first fronts, and of the last the least crowded.

    Sets `fitness.crowding_dist` of the members. The same selection as DEAP's `selNSGA2`, but
    all pairs are compared at once, because resuming repeats thousands of selections; ties go to
    the older member.

    Args:
        members: parents and children, in the order of their numbers.
        count: number of survivors.
    """
    chosen: list[_Member] = []
    for front in _fronts(members):
        tools.emo.assignCrowdingDist(front)
        # Of the front that does not fit as a whole, the least crowded members survive.
        crowded = front
        if len(chosen) + len(front) > count:
            crowded = sorted(front, key=lambda member: -member.fitness.crowding_dist)
        chosen += crowded[: count - len(chosen)]
        if len(chosen) == count:
            break
    return chosen


def _fronts(members: Sequence[_Member]) -> Iterator[list[_Member]]:
    """Yield the Pareto fronts: the non-dominated members, then those of the rest, and so on."""
    values = np.array([member.fitness.wvalues for member in members])
    violations = np.array([member.fitness.violation for member in members])
    # Pareto domination: no worse by every objective, and not equal by all.
    no_worse = (values[:, None] >= values).all(axis=2)
    dominates = no_worse & ~no_worse.T
    # Out of budget, the larger violation is dominated.
    excess = violations[:, None] < violations
    in_budget = violations == 0
    dominates = np.where(in_budget[:, None] & in_budget, dominates, excess)
    left = np.ones(len(members), dtype=bool)
    # Peel off one front after the other.
    while left.any():
        front = left & ~dominates[left].any(axis=0)
        yield [members[int(index)] for index in np.flatnonzero(front)]
        left &= ~front
