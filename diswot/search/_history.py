"""What an engine sees of the world: known candidates, their scores, and what is new."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diswot.errors import BudgetError
from diswot.latency import UnusableNetworkError
from diswot.networks.costs import Costs
from diswot.scorers import Formula
from diswot.search._budget import Budget
from diswot.search._candidate import Candidate
from diswot.search._evaluation import Evaluator
from search_spaces import Architecture

ATTEMPTS = 1000
"""Random draws without a new architecture in budget after which a space counts as exhausted."""

CHILD_ATTEMPTS = 100
"""The same for children."""

NUMBER = "number"

ENUMERABLE = 2000
"""Spaces up to this size are gone through one by one before they count as exhausted."""


class History:
    """The candidates of a run in the order of their numbers.

    Args:
        evaluator: gives the costs of architectures.
        budget: what a candidate may cost.
        formula: how terms are combined.
        reference: how many candidates, the first ones, are the random sample by which
            the combination `standard` measures.
    """

    def __init__(
        self, evaluator: Evaluator, budget: Budget, formula: Formula, *, reference: int
    ) -> None:
        self.space = evaluator.space
        self.budget = budget
        self.candidates: list[Candidate] = []
        self._evaluator = evaluator
        self._formula = formula
        self._reference = reference
        self._drawn: dict[str, Architecture] = {}
        self._terms = _Columns()
        self._sound = _Columns()

    def add(self, candidate: Candidate) -> None:
        """Make a candidate known; its number is how many there are before it."""
        self._drawn.setdefault(candidate.key, candidate.architecture)
        if candidate.terms:
            self._sound.append({NUMBER: len(self.candidates)})
            self._terms.append(candidate.means)
        self.candidates.append(candidate)

    def scores(self, known: int, *, of: Sequence[int] | None = None) -> NDArray[np.float64]:
        """Return the scores of the first `known` candidates, or of some of them; without one, −∞.

        Args:
            known: how many candidates there are to be compared with.
            of: numbers below `known`; by default all.
        """
        numbers = self._sound.first(self._sound.rows).get(NUMBER, np.empty(0))
        sound = int(np.searchsorted(numbers, known))
        asked = np.arange(known) if of is None else np.asarray(of)
        scores = np.full(len(asked), -np.inf)
        if not sound:
            return scores
        rows = np.searchsorted(numbers[:sound], asked)
        there = numbers[np.minimum(rows, sound - 1)] == asked
        terms, rows = self._terms.first(sound), rows[there]
        if self._formula.elementwise:
            terms = {name: column[rows] for name, column in terms.items()}
            scores[there] = self._formula.scores(terms, reference=self._reference)
        else:
            scores[there] = self._formula.scores(terms, reference=self._reference)[rows]
        return scores

    def scored(self) -> list[Candidate]:
        """Return all candidates with their scores."""
        scores = self.scores(len(self.candidates))
        return [
            replace(candidate, score=float(score)) if np.isfinite(score) else candidate
            for candidate, score in zip(self.candidates, scores, strict=True)
        ]

    def take(self, arch: Architecture, *, over_budget: bool = False) -> bool:
        """Return whether `arch` is new and in budget, and from now on drawn."""
        key = self.space.canonical_key(arch)
        if key in self._drawn or not (over_budget or self.affordable(arch)):
            return False
        self._drawn[key] = arch
        return True

    def draw(
        self,
        propose: Callable[[], Architecture],
        *,
        attempts: int = CHILD_ATTEMPTS,
        over_budget: bool = False,
    ) -> Architecture | None:
        """Return a proposal that is new and in budget, redrawing up to `attempts` times."""
        for _ in range(attempts):
            arch = propose()
            if self.take(arch, over_budget=over_budget):
                return arch
        return None

    def draw_any(self, rng: np.random.Generator) -> Architecture | None:
        """Return a random architecture that is new and in budget, or `None` if there is none.

        Where a large space has next to none in budget, random steps lead from one that was
        drawn before to one near it, none of them farther over the budget.
        """
        if self.space.size is None or self.space.size > ENUMERABLE:
            found = self.draw(lambda: self.space.sample(rng), attempts=ATTEMPTS)
            return found if found is not None else self.draw(self._steps(rng), attempts=ATTEMPTS)
        everything = list(self.space)
        shuffled = (everything[i] for i in rng.permutation(len(everything)))
        return next((arch for arch in shuffled if self.take(arch)), None)

    def _steps(self, rng: np.random.Generator) -> Callable[[], Architecture]:
        drawn = list(self._drawn.values())
        place = drawn[rng.integers(len(drawn))] if drawn else self.space.sample(rng)

        def step() -> Architecture:
            nonlocal place
            arch = self.space.mutate(place, rng)
            if self._violation(arch) <= self._violation(place):
                place = arch
            return arch

        return step

    def _violation(self, arch: Architecture) -> float:
        costs = self.costs(arch)
        return 0.0 if costs is None else self.budget.violation(costs)

    def affordable(self, arch: Architecture) -> bool:
        """Return whether `arch` is in budget; `True` if its network cannot be built to count."""
        return self._violation(arch) == 0

    def costs(self, arch: Architecture) -> Costs | None:
        """Return costs, without latency where others are over budget.

        `None` if the network cannot be built, or run in the form that is timed: its evaluation
        will fail with the same error, which is recorded.

        Raises:
            DiswotError: latencies do not cover the architecture.
        """
        try:
            costs = self._evaluator.costs(arch)
        except Exception:  # noqa: BLE001  (what is wrong with the network is recorded later)
            return None
        if not self.budget.allows(costs):
            return costs
        try:
            return self._evaluator.timed(arch)
        except UnusableNetworkError:
            return None

    def exhausted(self) -> BudgetError:
        """Return the error that says that nothing is in budget, and what the smallest costs."""
        seen = self._evaluator.known_costs
        if not seen:
            return BudgetError("no network of this space can be built: fix the space")
        arch = min(seen, key=lambda arch: (seen[arch].params, seen[arch].macs))
        least = [
            f"{name} {cost:,}"
            for name, cost in vars(self._evaluator.timed(arch)).items()
            if cost is not None
        ]
        return BudgetError(
            f"no architecture meets the budget {self.budget}: of {len(seen):,} looked at, the "
            f"smallest is {self.space.to_string(arch)} with {', '.join(least)}; "
            "allow at least that, or choose another space"
        )


class _Columns:
    """Columns of numbers that grow by a row at a time."""

    def __init__(self) -> None:
        self.rows = 0
        self._columns: dict[str, NDArray[np.float64]] = {}

    def append(self, row: Mapping[str, float]) -> None:
        for name, value in row.items():
            column = self._columns.setdefault(name, np.empty(64))
            if self.rows == len(column):
                column = self._columns[name] = np.concatenate([column, np.empty_like(column)])
            column[self.rows] = value
        self.rows += 1

    def first(self, rows: int) -> dict[str, NDArray[np.float64]]:
        return {name: column[:rows] for name, column in self._columns.items()}
