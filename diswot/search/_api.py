"""`search`, `resume` and `score`: from names and settings to candidates."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast

from torch import nn

from diswot.bars import displayed
from diswot.options import (
    ResumeOptions,
    ScoringOptions,
    SearchOptions,
    declared,
    filled,
    takes_options,
)
from diswot.progress import Progress, silent, tracked
from diswot.runs import working_in
from diswot.runs.folder import check_new_folder
from diswot.search._budget import Budget
from diswot.search._candidate import Candidate
from diswot.search._checks import check_architecture, check_space
from diswot.search._history import History
from diswot.search._journal import Journal
from diswot.search._restored_options import restored_option
from diswot.search._result import SearchResult, read_manifest
from diswot.search._resuming import check_resume, check_same, comparison_again
from diswot.search._run import Run
from diswot.search._scoring_context import ScoringContext, resolve_scoring
from diswot.search._settings import settled
from diswot.search._short_trainings import check_plan
from diswot.search._spaces import parse_architecture
from diswot.seeding import generator_for
from diswot.students import StudentSource
from diswot.tasks import takes_task_options
from diswot.teachers import Teacher
from search_spaces import Architecture, SearchSpace

REFERENCE = 32
"""Size of the random sample of architectures whose terms `score` standardizes with."""


@takes_task_options
def search(
    teacher: str | nn.Module | Teacher | None = None,
    space: str | SearchSpace | None = None,
    *,
    budget: Budget | None = None,
    out: str | Path | None = None,
    job: Mapping[str, Any] | None = None,
    source: StudentSource | None = None,
    progress: Progress | bool | None = None,
    **options: Unpack[SearchOptions],
) -> SearchResult:
    """Search for the student with the highest score within a budget.

    Args:
        teacher: a built-in name, `package.module:callable`, or a network; by default the
            task's default teacher.
        space: a built-in name, `package.module:Class`, or a space; by default the task's
            default space.
        budget: upper limits on what a student may cost; by default none.
        out: the run folder to write, new or empty; by default nothing is written.
        job: options of the larger command (`diswot run`) that the search is a part of; stored
            in the manifest so that it can be resumed.
        source: makes the networks of candidates; by default they are randomly initialized.
        progress: a callback for every step, or `False` for none; by default progress bars are
            drawn if standard error is a terminal or this is a notebook.
        **options: see [`SearchOptions`][diswot.search.SearchOptions].

    Returns:
        All scored candidates with the best one, the Pareto front and the baselines.

    Raises:
        DiswotError: a name does not exist, options contradict each other, or teacher, space
            and data do not fit together.
        BudgetError: no architecture of the space is within the budget.
        RunFolderError: `out` is not empty or cannot be written.
        RunError: every candidate failed.

    Examples:
        >>> result = search("resnet20", "s0", budget=Budget(params=100_000),
        ...                 population=2, generations=1, repeats=1, batch_size=8)
        >>> result.best.params <= 100_000
        True
    """
    with displayed(progress) as report:
        if out is None:
            return _started(teacher, space, budget, (None, job, report), options, source)
        check_new_folder(Path(out))
        with working_in(out):
            return _started(teacher, space, budget, (out, job, report), options, source)


def _started(
    teacher: str | nn.Module | Teacher | None,
    space: str | SearchSpace | None,
    budget: Budget | None,
    where: tuple[str | Path | None, Mapping[str, Any] | None, Progress],
    options: SearchOptions,
    source: StudentSource | None,
) -> SearchResult:
    """Search; also run the short trainings, unless the search is part of a larger job."""
    out, job, progress = where
    run = _prepared(teacher, space, budget, progress, options, source)
    if job is None:
        check_plan(run.settings.trainings, run.context, source)
    result = run.begin(out, job)
    return result if job is not None else run.with_trainings(result, teacher, options)


@takes_task_options
def check_search(
    teacher: str | nn.Module | Teacher | None = None,
    space: str | SearchSpace | None = None,
    *,
    budget: Budget | None = None,
    **options: Unpack[SearchOptions],
) -> None:
    """Raise the errors that `search` would raise before it scores the first network.

    Args:
        teacher: as for `search`; its weights are not loaded, so it need not be trained yet.
        space: a built-in name, `package.module:Class`, or a space.
        budget: upper limits on what a student may cost; by default none.
        **options: see [`SearchOptions`][diswot.search.SearchOptions].

    Raises:
        DiswotError: a name does not exist, options contradict each other, or teacher, space
            and data do not fit together.
        BudgetError: no architecture of the space is within the budget.
    """
    options["teacher_state"] = "random"
    _prepared(teacher, space, budget, silent, options).check()


def _prepared(
    teacher: str | nn.Module | Teacher | None,
    space: str | SearchSpace | None,
    budget: Budget | None,
    progress: Progress,
    options: SearchOptions,
    source: StudentSource | None = None,
) -> Run:
    settings, workers, cluster = settled(budget, options)
    alone = declared(SearchOptions).keys() - declared(ScoringOptions).keys()
    compared = cast(ScoringOptions, {n: v for n, v in options.items() if n not in alone})
    context = resolve_scoring(teacher, space, source=source, progress=progress, **compared)
    data, rng = context.data, generator_for(context.seed, "check")
    check_space(context.space, data, rng)
    return Run(context, settings, workers=workers, cluster=cluster, progress=progress)


@takes_options
def resume(
    folder: str | Path,
    *,
    source: StudentSource | None = None,
    progress: Progress | bool | None = None,
    **options: Unpack[ResumeOptions],
) -> SearchResult:
    """Resume an interrupted search, or extend a finished one by more generations.

    The result is the same as that of an uninterrupted search. Candidates in the journal are
    not evaluated again.

    Args:
        folder: the run folder.
        source: makes the networks of candidates, if one was given to `search`.
        progress: a callback for every step, or `False` for none; by default progress bars are
            drawn if standard error is a terminal or this is a notebook.
        **options: see [`ResumeOptions`][diswot.search.ResumeOptions]. Teacher, space, data and
            scorer must be given again only if they were not built-in ones, because nothing
            that a run folder names is imported.

    Returns:
        The result of the whole search, including candidates from before the interruption.

    Raises:
        RunFolderError: the folder is not a run folder, is damaged, of another version, or in
            use by another process; or data, teacher or space differ from the run.
        DiswotError: a name does not exist, or options contradict each other.
        RunError: every candidate failed.
    """
    with displayed(progress) as report:
        chosen = filled(ResumeOptions, options)
        del chosen["generations"]
        workers, cluster = chosen.pop("workers"), chosen.pop("cluster")
        path = Path(folder)
        read_manifest(path)  # raises before a lock file is written into a folder of others
        with working_in(path), Journal(path) as journal:
            manifest = read_manifest(path)
            settings = check_resume(path, manifest, **options)
            context = comparison_again(
                manifest["settings"], source=source, progress=report, **chosen
            )
            check_same(context.manifest(), manifest, path)
            run = Run(context, settings, workers=workers, cluster=cluster, progress=report)
            result = run.resume(path, journal, manifest)
            if manifest.get("job") is not None:
                return result
            used, given = manifest["settings"], chosen["teacher"]
            sources = context.data.task.teacher_sources
            teacher = restored_option("teacher", used["teacher"], given, sources)
            return run.with_trainings(result, teacher, {**used, **_given(chosen)})


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@takes_task_options
def score(
    archs: Iterable[Architecture | str],
    teacher: str | nn.Module | None = None,
    *,
    space: str | SearchSpace | None = None,
    progress: Progress | bool | None = None,
    **options: Unpack[ScoringOptions],
) -> list[Candidate]:
    """Score given architectures for a teacher.

    Args:
        archs: architectures of `space`, or their names.
        teacher: a built-in name, `package.module:callable`, or a network; by default the task's.
        space: a built-in name, `package.module:Class`, or a space; by default the task's.
        progress: a function that is called with every step, or `False` for nothing; by default bars
            are drawn where standard error is a terminal, or in a notebook.
        **options: see [`ScoringOptions`][diswot.search.ScoringOptions]. With the
            combination `rank`, ranks are within `archs`; with `standard`, a random
            sample of 32 architectures of the space is scored too.

    Returns:
        One candidate per architecture, in the order given.

    Raises:
        DiswotError: something that was asked for does not exist or does not fit.

    Examples:
        >>> one, = score(["3-1-5"], "resnet20", scorer="diswot", repeats=1, batch_size=8)
        >>> one.params, one.macs, sorted(one.terms)
        (383034, 10130048, ['relation', 'semantic'])
    """
    with displayed(progress) as report:
        context = resolve_scoring(teacher, space, progress=report, **options)
        return _scored(context, archs, report)


def _scored(
    context: ScoringContext, archs: Iterable[Architecture | str], progress: Progress
) -> list[Candidate]:
    """Score architectures, with a random sample if their terms are standardized by one."""
    space, data, evaluator = context.space, context.data, context.evaluator
    wanted = [parse_architecture(space, a) if isinstance(a, str) else a for a in archs]
    if wanted:
        check_architecture(space, wanted[0], data)
    sample: list[Architecture] = []
    if context.formula.needs_reference:
        rng = generator_for(context.seed, "reference")
        sample = [space.sample(rng) for _ in range(REFERENCE)]
    # Architectures with the same canonical key build the same network: score it once.
    distinct = {space.canonical_key(arch): arch for arch in (*sample, *wanted)}
    reference = len({space.canonical_key(arch) for arch in sample})
    history = History(evaluator, Budget(), context.formula, reference=reference)
    for arch in tracked(distinct.values(), progress, "score", len(distinct)):
        history.add(evaluator.evaluate(arch))
    scored = {candidate.key: candidate for candidate in history.scored()}
    alike = [(arch, scored[space.canonical_key(arch)]) for arch in wanted]
    return [replace(evaluator.evaluate(arch, like=like), score=like.score) for arch, like in alike]
