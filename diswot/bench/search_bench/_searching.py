"""One search, and what it had found after each number of evaluations."""

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
    """Return the candidate that a search would end with after each number of evaluations.

    The engines and the loop are those of `diswot search`, and so are the random numbers. A
    candidate over budget, which NSGA-II may propose, is not evaluated and does not count. A
    search that ends before the last number, since nothing new is left, keeps what it found.

    Args:
        counts: numbers of evaluations, ascending.
        evaluator: makes candidates of architectures.
        settings: engine and population.
        budget: what a candidate may cost.
        seed: of the search.
    """
    history = _explored(counts[-1], evaluator, settings, budget, seed)
    evaluated = [place for place, each in enumerate(history.candidates) if each.within_budget]
    return [_best(history, evaluated[: min(count, len(evaluated))]) for count in counts]


def _explored(
    count: int, evaluator: Evaluator, settings: EngineSettings, budget: Budget, seed: int
) -> History:
    """Explore until `count` candidates are evaluated, or nothing new is left."""
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
        missing, total = count, 0
        while missing and len(history.candidates) == total:
            total += missing
            loop.run(total, partial(settings.generator, seed))
            missing = count - sum(each.within_budget for each in history.candidates)
    return history


def _best(history: History, evaluated: Sequence[int]) -> Candidate:
    """Return who scores best among the first candidates, the cheapest of those alike."""
    scores = history.scores(evaluated[-1] + 1)[evaluated]
    alike = zip(evaluated, scores == scores.max(), strict=True)
    return max((history.candidates[place] for place, best in alike if best), key=Candidate.merit)
