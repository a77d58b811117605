"""`search` and `score`: from names and settings to candidates."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Unpack

from torch import nn

from diswot.errors import RunError
from diswot.progress import Progress, Step, news, silent
from diswot.run_folder import check_new_folder, new_folder, write_json
from diswot.search._budget import Budget
from diswot.search._candidate import Candidate
from diswot.search._comparison import (
    Comparison,
    ComparisonOptions,
    at_least,
    one_of,
    resolve_comparison,
)
from diswot.search._evaluation import check_architecture, check_space
from diswot.search._evolution import evolution
from diswot.search._journal import Journal
from diswot.search._plain_choices import plain_choices
from diswot.search._random_search import random_search
from diswot.search._result import MANIFEST, SearchResult
from diswot.search._spaces import parse_architecture
from diswot.search._trials import Trials
from diswot.seeding import generator_for
from diswot.teachers import Teacher
from search_spaces import Architecture, SearchSpace

ENGINES = {"evolution": evolution, "random": random_search}

REFERENCE = 32
"""Architectures in the random sample by which `score` standardises."""


def search(
    teacher: str | nn.Module | Teacher = "resnet56",
    space: str | SearchSpace = "s0",
    *,
    budget: Budget | None = None,
    engine: str = "evolution",
    population: int = 20,
    generations: int = 10,
    out: str | Path | None = None,
    progress: Progress = silent,
    **options: Unpack[ComparisonOptions],
) -> SearchResult:
    """Find the student that scores best for a teacher, within a budget.

    Args:
        teacher: a built-in name, `package.module:callable`, or a network.
        space: a built-in name, `package.module:Class`, or a space.
        budget: what a student may cost; by default anything.
        engine: `evolution` or `random`.
        population: candidates per generation.
        generations: generations after the first, which is random.
        out: the run folder to write; by default none.
        progress: told of every evaluated candidate.
        **options: see [`ComparisonOptions`][diswot.search.ComparisonOptions].

    Raises:
        DiswotError: something that was asked for does not exist or does not fit.
        RunError: every candidate failed.

    Examples:
        >>> result = search("resnet20", "s0", budget=Budget(params=100_000),
        ...                 population=2, generations=1, repeats=1, batch_size=8)
        >>> result.best.params <= 100_000
        True
    """
    at_least(1, population=population)
    at_least(0, generations=generations)
    one_of(tuple(ENGINES), engine=engine)
    budget = budget or Budget()
    if out is not None:
        check_new_folder(Path(out))
    comparison = resolve_comparison(teacher, space, **options)
    check_space(comparison.space, comparison.data.spec, generator_for(comparison.seed, "check"))
    counted = _Counted(progress, population * (generations + 1))
    trials = _trials(comparison, budget, population, counted)
    chosen = plain_choices(trials, generator_for(comparison.seed, "plain choices"), progress)
    manifest = comparison.manifest() | {
        "engine": {"name": engine, "population": population, "generations": generations},
        "budget": asdict(budget),
    }
    folder = None
    if out is not None:
        folder = new_folder(out)
        write_json(folder / MANIFEST, manifest)
    summary = f"{comparison.data.summary()}; budget {budget}"
    progress(news("data", f"{summary}; run folder {folder}" if folder else summary))
    with counted.journalling(folder):
        rng = generator_for(comparison.seed, "engine", engine)
        ENGINES[engine](trials, rng, population=population, generations=generations)
    counted.finish()
    candidates = tuple(trials.candidates)
    result = SearchResult(
        best=_best(candidates),
        candidates=candidates,
        plain_choices={name: trials.assess(arch) for name, arch in chosen.items()},
        manifest=manifest,
        images=comparison.data.spec,
        space=comparison.space,
        folder=folder,
    )
    result.save()
    return result


def score(
    archs: Iterable[Architecture | str],
    teacher: str | nn.Module = "resnet56",
    *,
    space: str | SearchSpace = "s0",
    progress: Progress = silent,
    **options: Unpack[ComparisonOptions],
) -> list[Candidate]:
    """Score given architectures for a teacher.

    Args:
        archs: architectures of `space`, or their names.
        teacher: a built-in name, `package.module:callable`, or a network.
        space: a built-in name, `package.module:Class`, or a space.
        progress: told of every evaluated candidate.
        **options: see [`ComparisonOptions`][diswot.search.ComparisonOptions]. With the
            combination `rank`, ranks are within `archs`; with `standard`, a random
            sample of 32 architectures of the space is scored besides.

    Returns:
        One candidate per architecture, in the order given.

    Raises:
        DiswotError: something that was asked for does not exist or does not fit.

    Examples:
        >>> one, = score(["3-1-5"], "resnet20", space="s0", repeats=1, batch_size=8)
        >>> one.params, one.macs, sorted(one.terms)
        (383034, 10130048, ['relation', 'semantic'])
    """
    comparison = resolve_comparison(teacher, space, **options)
    found = comparison.space
    wanted = [parse_architecture(found, a) if isinstance(a, str) else a for a in archs]
    if wanted:
        check_architecture(found, wanted[0], comparison.data.spec)
    sample: list[Architecture] = []
    if comparison.formula.needs_reference:
        rng = generator_for(comparison.seed, "reference")
        sample = [found.sample(rng) for _ in range(REFERENCE)]
    distinct = {found.canonical_key(arch): arch for arch in (*sample, *wanted)}
    counted = _Counted(progress, len(distinct))
    reference = len({found.canonical_key(arch) for arch in sample})
    trials = _trials(comparison, Budget(), reference, counted)
    trials.evaluate(distinct.values())
    scored = {candidate.key: candidate for candidate in trials.candidates}
    alike = [(arch, scored[found.canonical_key(arch)]) for arch in wanted]
    evaluate = comparison.evaluator.evaluate
    return [replace(evaluate(arch, like=like), score=like.score) for arch, like in alike]


class _Counted:
    """Writes each candidate to the journal, where there is one, and tells the progress."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._journal: Journal | None = None
        self._progress = progress
        self._total = total
        self._done = 0

    @contextmanager
    def journalling(self, folder: Path | None) -> Iterator[None]:
        """Write candidates to the journal in `folder` for as long as the block lasts."""
        if folder is None:
            yield
            return
        with Journal(folder) as self._journal:
            yield

    def record(self, candidate: Candidate) -> None:
        if self._journal is not None:
            self._journal.append(candidate)
        self._done += 1
        note = candidate.name if candidate.failure is None else f"{candidate.name} failed"
        self._progress(Step("score", self._done, self._total, note))

    def finish(self) -> None:
        if self._done < self._total:
            self._progress(Step("score", self._done, self._done, "nothing new left in budget"))


def _trials(comparison: Comparison, budget: Budget, reference: int, counted: _Counted) -> Trials:
    return Trials(
        comparison.evaluator,
        budget,
        comparison.formula,
        reference=reference,
        record=counted.record,
    )


def _best(candidates: Sequence[Candidate]) -> Candidate:
    scored = [candidate for candidate in candidates if candidate.score is not None]
    if not scored:
        raise RunError(
            f"all {len(candidates)} candidates failed; the first, {candidates[0].name}: "
            f"{candidates[0].failure}"
        )
    return max(scored, key=Candidate.merit)
