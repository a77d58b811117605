"""The search loop: the engine proposes, workers evaluate, the engine sees results in order."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future

import numpy as np

from diswot.errors import RunFolderError
from diswot.networks.costs import Costs
from diswot.search._candidate import Candidate
from diswot.search._evaluation import Evaluator, Outcome
from diswot.search._evaluation_pool import EvaluationPool
from diswot.search._history import History
from diswot.search.engines import Engine
from search_spaces import Architecture


class SearchLoop:
    """Evaluates the proposals of an engine and adds the candidates to the history.

    Candidates are recorded as soon as they are evaluated, but added to the history in the order
    of their proposal: so the search does not depend on the number or speed of workers.

    Args:
        engine: proposes architectures.
        history: the candidates that the engine sees.
        evaluator: makes candidates of measured values.
        pool: evaluates architectures.
        record: called with the number of every new candidate and the candidate, as soon
            as it is evaluated and before anything else.
        known: candidates of an earlier process, by number; baselines below 0.
    """

    def __init__(
        self,
        engine: Engine,
        history: History,
        evaluator: Evaluator,
        pool: EvaluationPool,
        *,
        record: Callable[[int, Candidate], None],
        known: Mapping[int, Candidate],
    ) -> None:
        self._engine = engine
        self._history = history
        self._evaluator = evaluator
        self._pool = pool
        self._record = record
        self._known = known
        self._done: dict[int, Candidate] = {}
        self._scored: dict[Architecture, Candidate] = {}
        self._waiting: dict[Future[Outcome], tuple[int, Architecture, Costs]] = {}

    def baselines(self, archs: Mapping[int, Architecture]) -> dict[Architecture, Candidate]:
        """Score the baselines, which the engine does not see.

        If the engine proposes one of them later, it is not evaluated again.

        Args:
            archs: distinct architectures within the budget, by their numbers below 0.
        """
        for number, arch in archs.items():
            self._submit(number, arch)
        while not archs.keys() <= self._done.keys():
            self._collect()
        self._scored = {arch: self._done.pop(number) for number, arch in archs.items()}
        return dict(self._scored)

    def run(self, total: int, generator: Callable[[int], np.random.Generator]) -> None:
        """Continue until there are `total` candidates, or nothing new is left in budget.

        Args:
            total: number of candidates, including known ones.
            generator: (number of a proposal) → its random generator.

        Raises:
            RunFolderError: the engine's proposal differs from the known candidate of its number.
        """
        self._settle_known(total)
        for number in range(len(self._history.candidates), total):
            # Wait only for the candidates that this proposal depends on.
            self._settle(self._engine.needs(number))
            arch = self._engine.propose(number, generator(number))
            if arch is None:  # nothing new is left in budget
                total = number
                break
            self._submit(number, arch)
        self._settle(total)

    def _settle_known(self, total: int) -> None:
        for number in range(total):
            if number not in self._known:
                return
            self._history.add(self._known[number])

    def _submit(self, number: int, arch: Architecture) -> None:
        # Resumed: the journal has the candidate, if it is the same architecture.
        if number in self._known:
            self._done[number] = self._same(number, arch)
            return
        # A baseline that the engine proposes is already scored.
        if arch in self._scored:
            self._finish(number, self._scored[arch])
            return
        # New: check the budget on the meta device first, then evaluate in a worker.
        costs = self._history.costs(arch)
        if costs is None:
            self._finish(number, self._evaluator.evaluate(arch))
        elif not self._history.budget.allows(costs):
            violation = self._history.budget.violation(costs)
            self._finish(number, self._evaluator.candidate(arch, costs, violation=violation))
        else:
            self._waiting[self._pool.submit(arch, costs)] = number, arch, costs
            self._collect(wait=False)

    def _same(self, number: int, arch: Architecture) -> Candidate:
        known, name = self._known[number], self._history.space.to_string(arch)
        if known.name != name:
            raise RunFolderError(
                f"the journal's candidate {number} is {known.name}, but with this journal and "
                f"these settings it would be {name}: the journal belongs to another run or version"
            )
        return known

    def _settle(self, count: int) -> None:
        """Add candidates to the history until it has `count`, waiting for unfinished ones."""
        for number in range(len(self._history.candidates), count):
            while number not in self._done:
                self._collect()
            self._history.add(self._done.pop(number))

    def _collect(self, *, wait: bool = True) -> None:
        """Take finished evaluations out of the pool; with `wait`, at least one."""
        ready = self._pool.finished.take(wait=wait)
        for future in sorted(ready, key=lambda future: self._waiting[future][0]):
            number, arch, costs = self._waiting.pop(future)
            outcome = self._pool.outcome(future, arch, costs)
            self._finish(number, self._evaluator.candidate(arch, costs, outcome))

    def _finish(self, number: int, candidate: Candidate) -> None:
        self._record(number, candidate)
        self._done[number] = candidate
