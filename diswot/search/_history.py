"""The history of a search, which engines read: candidates, their scores, and what is new."""

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
"""Random draws without a new architecture within the budget after which a space is exhausted."""

CHILD_ATTEMPTS = 100
"""Children (by crossover and mutation) without a new one within the budget after which a random
architecture is proposed instead."""

NUMBER = "number"

ENUMERABLE = 2000
"""Size up to which a space is listed completely instead of sampled."""


class History:
    """The candidates of a run in the order of their numbers.

    Args:
        evaluator: measures the costs of architectures.
        budget: upper limits on what a candidate may cost.
        formula: combines terms into scores.
        reference: how many of the first candidates are the random sample whose mean and
            deviation the combination `standard` uses.
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
        """Append a candidate; its number is the number of candidates before it."""
        self._drawn.setdefault(candidate.key, candidate.architecture)
        if candidate.terms:
            self._sound.append({NUMBER: len(self.candidates)})
            self._terms.append(candidate.means)
        self.candidates.append(candidate)

    def scores(self, known: int, *, of: Sequence[int] | None = None) -> NDArray[np.float64]:
        """Return the scores of the first `known` candidates.

        Args:
            known: how many candidates take part in the combination (ranks and standardization
                depend on all of them).
            of: numbers of the candidates whose scores are returned; by default all.

        Returns:
            The scores (N,), higher is better; −∞ for candidates without a score.
        """
        # `_sound` holds the numbers of the candidates that have terms, in increasing order.
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
        """Reserve `arch` as proposed; return whether it was new and within the budget.

        Args:
            arch: an architecture.
            over_budget: whether architectures over the budget are accepted too.
        """
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
        """Return a proposal that is new and within the budget, or `None`.

        Args:
            propose: draws an architecture.
            attempts: how often it is called at most.
            over_budget: whether architectures over the budget are accepted too.
        """
        for _ in range(attempts):
            arch = propose()
            if self.take(arch, over_budget=over_budget):
                return arch
        return None

    def draw_any(self, rng: np.random.Generator) -> Architecture | None:
        """Return a random architecture that is new and within the budget, or `None`.

        If sampling a large space finds none, a random walk of mutations starts from an
        architecture that was proposed before; it never moves farther over the budget.
        """
        if self.space.size is None or self.space.size > ENUMERABLE:
            result = self.draw(lambda: self.space.sample(rng), attempts=ATTEMPTS)
            return result if result is not None else self.draw(self._steps(rng), attempts=ATTEMPTS)
        # A small space is listed in random order, so that its last architecture is found too.
        everything = list(self.space)
        shuffled = (everything[i] for i in rng.permutation(len(everything)))
        return next((arch for arch in shuffled if self.take(arch)), None)

    def _steps(self, rng: np.random.Generator) -> Callable[[], Architecture]:
        drawn = list(self._drawn.values())
        point = drawn[rng.integers(len(drawn))] if drawn else self.space.sample(rng)

        def step() -> Architecture:
            nonlocal point
            arch = self.space.mutate(point, rng)
            if self._violation(arch) <= self._violation(point):
                point = arch
            return arch

        return step

    def _violation(self, arch: Architecture) -> float:
        costs = self.costs(arch)
        return 0.0 if costs is None else self.budget.violation(costs)

    def affordable(self, arch: Architecture) -> bool:
        """Return whether `arch` is within the budget; `True` if its costs cannot be measured."""
        return self._violation(arch) == 0

    def costs(self, arch: Architecture, *, timed: bool = True) -> Costs | None:
        """Return the costs of an architecture, or `None` if they cannot be measured.

        The latency is left out if another cost is already over the budget. If the network
        cannot be built or timed, its evaluation fails with the same error, which is recorded.

        Args:
            arch: the architecture.
            timed: whether the latency is measured, if the run has one.

        Raises:
            DiswotError: the latency table does not contain the architecture.
        """
        try:
            costs = self._evaluator.costs(arch)
        except Exception:  # noqa: BLE001  (its evaluation will raise and record it)
            return None
        if not timed or not self.budget.allows(costs):
            return costs
        try:
            return self._evaluator.timed(arch)
        except UnusableNetworkError:
            return None

    def exhausted(self) -> BudgetError:
        """Return the error that nothing is within the budget; it names the smallest network."""
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
            f"no architecture meets the budget {self.budget}: of {len(seen):,} checked, the "
            f"smallest is {self.space.to_string(arch)} with {', '.join(least)}; "
            "allow at least that, or choose another space"
        )


class _Columns:
    """A table of floats that grows by one row at a time, in amortized constant time."""

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
