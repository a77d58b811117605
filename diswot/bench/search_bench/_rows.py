"""Results of each engine with one score, compared with random search."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from diswot.bench.rank_statistics import Estimate, Vector
from diswot.bench.search_bench._comparison import compared, median_difference, reason
from diswot.bench.search_bench._landscape import Scored
from diswot.bench.search_bench._searching import found_after
from diswot.bench.search_bench._settings import RANDOM, SearchBenchSettings


@dataclass(frozen=True)
class SearchRow:
    """Results of one engine with one scorer after some evaluations, over all seeds.

    Accuracies are in %, of the architecture that the search would return.

    Attributes:
        truth: name of the ground truth.
        target: column of accuracies.
        budget: limits of a candidate's costs, as text.
        in_budget: number of distinct networks within the budget.
        best: highest accuracy within the budget.
        scorer: name or expression of the scorer.
        top_scored: accuracy of the best-scoring architecture within the budget.
        engine: name of the search engine.
        population: candidates per generation.
        seeds: number of searches.
        evaluations: number of candidates that each search has scored.
        accuracy: median over the seeds.
        lower_quartile: lower quartile of the accuracies over the seeds.
        upper_quartile: upper quartile of the accuracies over the seeds.
        regret: `best` minus the median.
        reached: share of the seeds that found the best score within the budget.
        difference: difference of the median to that of random search, in percentage points,
            with its 95 % bootstrap interval; `None` for random search itself.
        wins: share of the pairs of a search and a random search in which this one ends
            with the higher accuracy, ties counted half.
        p: p-value of the two-sided Mann–Whitney test between the two.
        score_wins: share of the pairs in which this search ends with the higher score.
        score_p: p-value of the same test on the scores.
        verdict: `better` or `worse` than random search where p < 0.05, else `no better`.
        why: why it is not better, or empty.
        milliseconds: time of one evaluation, including building and all repeats; `None` if not
            timed.
    """

    truth: str
    target: str
    budget: str
    in_budget: int
    best: float
    scorer: str
    top_scored: float
    engine: str
    population: int
    seeds: int
    evaluations: int
    accuracy: float
    lower_quartile: float
    upper_quartile: float
    regret: float
    reached: float
    difference: Estimate | None = None
    wins: float | None = None
    p: float | None = None
    score_wins: float | None = None
    score_p: float | None = None
    verdict: str = ""
    why: str = ""
    milliseconds: float | None = None


@dataclass(frozen=True, eq=False)
class _Ends:
    """Results of the searches after some evaluations, one value per seed.

    Attributes:
        accuracies: accuracies in %, shape (seeds,).
        scores: scores, shape (seeds,).
    """

    accuracies: Vector
    scores: Vector


def rows_of(
    scored: Scored,
    settings: SearchBenchSettings,
    counts: Sequence[int],
    *,
    milliseconds: float | None,
    searched: Callable[[], None],
) -> Iterator[SearchRow]:
    """Search with every engine and seed by one score, and compare with random search.

    Args:
        scored: landscape and scores.
        settings: engines and seeds.
        counts: numbers of evaluations, ascending.
        milliseconds: time of one evaluation; `None` if not timed.
        searched: called after every search.
    """
    # Random search is the first of `compared`, so its results are known for the others.
    random: list[tuple[SearchRow, _Ends]] = []
    for engine in settings.compared:
        ends = list(_ends(scored, settings, engine, counts, searched))
        rows = [
            replace(_row(scored, settings, engine, count, item), milliseconds=milliseconds)
            for count, item in zip(counts, ends, strict=True)
        ]
        if engine == RANDOM:
            random = list(zip(rows, ends, strict=True))
            yield from rows
        else:
            for row, item, others in zip(rows, ends, random, strict=True):
                yield _compared(row, item, *others)


def _ends(
    scored: Scored,
    settings: SearchBenchSettings,
    engine: str,
    counts: Sequence[int],
    searched: Callable[[], None],
) -> Iterator[_Ends]:
    """Search with every seed; yield the results after each number of evaluations."""
    results = []
    for seed in range(settings.seed, settings.seed + settings.seeds):
        results.append(
            found_after(
                counts,
                scored.evaluator,
                settings.engine(engine),
                budget=settings.budget,
                seed=seed,
            )
        )
        searched()
    for candidates in zip(*results, strict=True):
        archs = [candidate.architecture for candidate in candidates]
        yield _Ends(
            np.array([scored.landscape.accuracies[arch] for arch in archs]),
            np.array([scored.scores[arch] for arch in archs]),
        )


def _row(
    scored: Scored, settings: SearchBenchSettings, engine: str, count: int, ends: _Ends
) -> SearchRow:
    known = scored.landscape
    lower, median, upper = np.quantile(ends.accuracies, [0.25, 0.5, 0.75])
    return SearchRow(
        truth=known.truth,
        target=known.target,
        budget=str(known.budget),
        in_budget=known.networks,
        best=known.best,
        scorer=scored.scorer,
        top_scored=known.accuracies[scored.top],
        engine=engine,
        population=settings.population,
        seeds=settings.seeds,
        evaluations=count,
        accuracy=float(median),
        lower_quartile=float(lower),
        upper_quartile=float(upper),
        regret=known.best - float(median),
        reached=float((ends.scores >= scored.scores[scored.top]).mean()),
    )


def _compared(row: SearchRow, ends: _Ends, random: SearchRow, random_ends: _Ends) -> SearchRow:
    """Return a row with its comparison to random search."""
    accuracies = compared(ends.accuracies, random_ends.accuracies)
    scores = compared(ends.scores, random_ends.scores)
    return replace(
        row,
        difference=median_difference(ends.accuracies, random_ends.accuracies),
        wins=accuracies.wins,
        p=accuracies.p,
        score_wins=scores.wins,
        score_p=scores.p,
        verdict=accuracies.verdict,
        why=reason(
            accuracies.verdict,
            scores.verdict,
            seen=row.evaluations / row.in_budget,
            reached=random.reached,
            random=random.accuracy,
            top=row.top_scored,
        ),
    )
