"""All candidates of a run, and how new ones are drawn, evaluated and compared."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from diswot.costs import Costs
from diswot.errors import BudgetError
from diswot.scorers import Formula
from diswot.search._budget import Budget
from diswot.search._candidate import Candidate
from diswot.search._evaluation import Evaluator
from search_spaces import Architecture

ATTEMPTS = 1000
"""Draws without a new architecture in budget after which a space counts as exhausted."""

ENUMERABLE = 2000
"""Spaces up to this size are gone through one by one before they count as exhausted."""


class Trials:
    """What an engine sees of the world: it draws, evaluates and compares.

    Args:
        evaluator: scores one architecture.
        budget: what a candidate may cost.
        formula: how terms are combined.
        reference: how many candidates, the first ones, are the random sample by which
            the combination `standard` measures.
        record: called with every evaluated candidate before the engine goes on.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        budget: Budget,
        formula: Formula,
        *,
        reference: int,
        record: Callable[[Candidate], None],
    ) -> None:
        self.space = evaluator.space
        self._budget = budget
        self._evaluator = evaluator
        self._formula = formula
        self._reference = reference
        self._record = record
        self._evaluated: dict[str, Candidate] = {}
        self._drawn: set[str] = set()
        self._exhausted = False

    @property
    def candidates(self) -> list[Candidate]:
        """All candidates in the order of their evaluation, scored where they did not fail."""
        scores = self._scores()
        return [replace(c, score=scores.get(c.key)) for c in self._evaluated.values()]

    def draw(
        self, propose: Callable[[], Architecture], *, attempts: int = ATTEMPTS
    ) -> Architecture | None:
        """Return a proposal that is new and in budget, redrawing up to `attempts` times."""
        for _ in range(attempts):
            arch = propose()
            if self._take(arch):
                return arch
        return None

    def draw_any(self, rng: np.random.Generator) -> Architecture | None:
        """Return a random architecture that is new and in budget, or `None` if there is none.

        Once there was none, none is looked for again.
        """
        found = None if self._exhausted else self._random(rng)
        self._exhausted = found is None
        return found

    def evaluate(self, archs: Iterable[Architecture]) -> list[Candidate]:
        """Evaluate drawn architectures; each is recorded before the next begins."""
        fresh = []
        for arch in archs:
            candidate = self._evaluator.evaluate(arch)
            self._record(candidate)
            self._evaluated[candidate.key] = candidate
            fresh.append(candidate)
        return fresh

    def fitness(self, candidates: Iterable[Candidate]) -> list[float]:
        """Return scores as of now; failed candidates have −∞."""
        scores = self._scores()
        return [scores.get(candidate.key, -np.inf) for candidate in candidates]

    def affordable(self, arch: Architecture) -> bool:
        """Tell whether `arch` is in budget; `True` if its network cannot be built to count."""
        costs = self.costs(arch)
        return costs is None or self._budget.allows(costs)

    def costs(self, arch: Architecture) -> Costs | None:
        """Return parameters and multiply-adds; `None` if the network cannot be built."""
        try:
            return self._evaluator.costs(arch)
        except Exception:  # noqa: BLE001  (its evaluation will fail likewise, and be recorded)
            return None

    def assess(self, arch: Architecture) -> Candidate:
        """Score `arch` like the candidates, without making it one of them."""
        known = self._evaluated.get(self.space.canonical_key(arch))
        candidate = self._evaluator.evaluate(arch, like=known)
        return replace(candidate, score=self._scores(candidate).get(candidate.key))

    def exhausted(self) -> BudgetError:
        """Return the error that says that nothing is in budget, and what the smallest costs."""
        seen = self._evaluator.known_costs
        if not seen:
            return BudgetError("no network of this space can be built: mend the space")
        arch, least = min(seen.items(), key=lambda known: (known[1].params, known[1].macs))
        return BudgetError(
            f"no architecture meets the budget {self._budget}: of {len(seen):,} looked at, the "
            f"smallest is {self.space.to_string(arch)} with params {least.params:,} and "
            f"macs {least.macs:,}; "
            "allow at least that, or choose another space"
        )

    def _random(self, rng: np.random.Generator) -> Architecture | None:
        if self.space.size is None or self.space.size > ENUMERABLE:
            return self.draw(lambda: self.space.sample(rng))
        everything = list(self.space)
        shuffled = (everything[i] for i in rng.permutation(len(everything)))
        return next((arch for arch in shuffled if self._take(arch)), None)

    def _take(self, arch: Architecture) -> bool:
        key = self.space.canonical_key(arch)
        if key in self._drawn or not self.affordable(arch):
            return False
        self._drawn.add(key)
        return True

    def _scores(self, *others: Candidate) -> dict[str, float]:
        everybody = self._evaluated | {other.key: other for other in others}
        sound = [candidate for candidate in everybody.values() if candidate.failure is None]
        if not sound:
            return {}
        terms = {
            name: np.array([candidate.means[name] for candidate in sound])
            for name in sound[0].terms
        }
        scores = self._formula.scores(terms, reference=self._reference)
        return {c.key: float(score) for c, score in zip(sound, scores, strict=True)}
