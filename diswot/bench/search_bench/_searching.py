"""One search, and its best candidate after each number of evaluations."""

from collections.abc import Sequence
from functools import partial

from diswot.search import (
    ENGINES,
    Budget,
    Candidate,
    EngineSettings,
    Evaluator,
    History,
    SearchLoop,
    evaluation_pool,
)


def found_after(
    counts: Sequence[int],
    evaluator: Evaluator,
    settings: EngineSettings,
    *,
    budget: Budget,
    seed: int,
) -> list[Candidate]:
    """Return the best candidate of a search after each number of evaluations.

    Engines, loop and random numbers are those of `diswot search`. Candidates over budget, which
    NSGA-II may propose, are not evaluated and do not count. If a search ends early because
    the space is exhausted, its last result is repeated.

    Args:
        counts: numbers of evaluations, ascending.
        evaluator: evaluator of architectures.
        settings: engine and population.
        budget: limits of a candidate's costs.
        seed: seed of the search.
    """
    history = _explored(counts[-1], evaluator, settings, budget, seed)
    evaluated = [
        index for index, candidate in enumerate(history.candidates) if candidate.within_budget
    ]
    return [_best(history, evaluated[: min(count, len(evaluated))]) for count in counts]


def _explored(
    count: int, evaluator: Evaluator, settings: EngineSettings, budget: Budget, seed: int
) -> History:
    """Search until `count` candidates are evaluated or the space is exhausted."""
    history = History(evaluator, budget, evaluator.scorer.formula, reference=settings.population)
    with evaluation_pool(evaluator) as pool:
        loop = SearchLoop(
            ENGINES[settings.name](history, settings),
            history,
            evaluator,
            pool,
            record=lambda *_: None,
            known={},
        )
        # Candidates over budget count for the loop but not here, so it is continued until enough
        # candidates are evaluated; it ends early if the engine proposes nothing new.
        missing, total = count, 0
        while missing and len(history.candidates) == total:
            total += missing
            loop.run(total, partial(settings.generator, seed))
            missing = count - sum(candidate.within_budget for candidate in history.candidates)
    return history


def _best(history: History, evaluated: Sequence[int]) -> Candidate:
    """Return the best-scoring of the first candidates; of ties the cheapest."""
    scores = history.scores(evaluated[-1] + 1)[evaluated]
    alike = zip(evaluated, scores == scores.max(), strict=True)
    return max((history.candidates[place] for place, best in alike if best), key=Candidate.merit)
