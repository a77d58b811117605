"""One search, and what it had found after each number of evaluations."""

from collections.abc import Sequence
from functools import partial

from diswot.search import (
    ENGINES,
    Budget,
    Candidate,
    EngineSettings,
    Evaluator,
    SearchLoop,
    Trials,
    evaluators,
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
    trials = _explored(counts[-1], evaluator, settings, budget, seed)
    evaluated = [place for place, each in enumerate(trials.candidates) if each.within_budget]
    return [_best(trials, evaluated[: min(count, len(evaluated))]) for count in counts]


def _explored(
    count: int, evaluator: Evaluator, settings: EngineSettings, budget: Budget, seed: int
) -> Trials:
    """Explore until `count` candidates are evaluated, or nothing new is left."""
    trials = Trials(evaluator, budget, evaluator.scorer.formula, reference=settings.population)
    with evaluators(evaluator) as pool:
        loop = SearchLoop(
            ENGINES[settings.name](trials, settings),
            trials,
            evaluator,
            pool,
            record=lambda *_: None,
            known={},
        )
        missing, total = count, 0
        while missing and len(trials.candidates) == total:
            total += missing
            loop.run(total, partial(settings.generator, seed))
            missing = count - sum(each.within_budget for each in trials.candidates)
    return trials


def _best(trials: Trials, evaluated: Sequence[int]) -> Candidate:
    """Return who scores best among the first candidates, the cheapest of those alike."""
    scores = trials.scores(evaluated[-1] + 1)[evaluated]
    alike = zip(evaluated, scores == scores.max(), strict=True)
    return max((trials.candidates[place] for place, best in alike if best), key=Candidate.merit)
