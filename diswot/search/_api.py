"""`search`, `resume` and `score`: from names and settings to candidates."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast

from torch import nn

from diswot.errors import DiswotError, OptionError, RunFolderError
from diswot.options import (
    ComparisonOptions,
    ResumeOptions,
    SearchOptions,
    filled,
    options_of,
    takes_options,
)
from diswot.progress import Progress, silent, tracked
from diswot.references import is_reference
from diswot.runs import working_in
from diswot.runs.folder import check_new_folder
from diswot.scorers import Scorer, Term, find_scorer
from diswot.search._again import data_again, told_again
from diswot.search._budget import Budget
from diswot.search._candidate import Candidate
from diswot.search._checks import check_architecture, check_space
from diswot.search._comparison import Comparison, resolve_comparison
from diswot.search._journal import Journal
from diswot.search._result import SearchResult, read_manifest
from diswot.search._run import Run
from diswot.search._settings import SearchSettings, check_alone_or_cluster, settled
from diswot.search._spaces import SPACES, parse_architecture
from diswot.search._trials import Trials
from diswot.seeding import generator_for
from diswot.teachers import NAMED, Teacher
from search_spaces import Architecture, SearchSpace

REFERENCE = 32
"""Architectures in the random sample by which `score` standardises."""


@takes_options
def search(
    teacher: str | nn.Module | Teacher = "resnet56",
    space: str | SearchSpace = "s0",
    *,
    budget: Budget | None = None,
    out: str | Path | None = None,
    job: Mapping[str, Any] | None = None,
    progress: Progress = silent,
    **options: Unpack[SearchOptions],
) -> SearchResult:
    """Find the student that scores best for a teacher, within a budget.

    Args:
        teacher: a built-in name, `package.module:callable`, or a network.
        space: a built-in name, `package.module:Class`, or a space.
        budget: what a student may cost; by default anything.
        out: the run folder to write; by default none.
        job: what the search is a part of; kept in the manifest for whoever resumes it.
        progress: told of every candidate.
        **options: see [`SearchOptions`][diswot.search.SearchOptions].

    Raises:
        DiswotError: something that was asked for does not exist or does not fit.
        RunError: every candidate failed.

    Examples:
        >>> result = search("resnet20", "s0", budget=Budget(params=100_000),
        ...                 population=2, generations=1, repeats=1, batch_size=8)
        >>> result.best.params <= 100_000
        True
    """
    if out is None:
        return _prepared(teacher, space, budget, progress, options).begin(None, job)
    check_new_folder(Path(out))
    with working_in(out):
        return _prepared(teacher, space, budget, progress, options).begin(out, job)


@takes_options
def check_search(
    teacher: str | nn.Module | Teacher = "resnet56",
    space: str | SearchSpace = "s0",
    *,
    budget: Budget | None = None,
    **options: Unpack[SearchOptions],
) -> None:
    """Raise what `search` would, but for what comes of scoring; no network is scored.

    The teacher is at random initialisation, so that it need not have been trained.
    """
    options["teacher_state"] = "random"
    _prepared(teacher, space, budget, silent, options).check()


def _prepared(
    teacher: str | nn.Module | Teacher,
    space: str | SearchSpace,
    budget: Budget | None,
    progress: Progress,
    options: SearchOptions,
) -> Run:
    settings, workers, cluster = settled(budget, options)
    compared = cast(ComparisonOptions, options_of(ComparisonOptions, options))
    comparison = resolve_comparison(teacher, space, progress=progress, **compared)
    check_space(comparison.space, comparison.data.spec, generator_for(comparison.seed, "check"))
    return Run(comparison, settings, workers=workers, cluster=cluster, progress=progress)


@takes_options
def resume(
    folder: str | Path, *, progress: Progress = silent, **options: Unpack[ResumeOptions]
) -> SearchResult:
    """Resume a search from exactly where it stopped, or beyond where it ended.

    The result is that of a search that never stopped. What the journal holds is not
    evaluated again.

    Args:
        folder: its run folder.
        progress: called for every new candidate.
        **options: see [`ResumeOptions`][diswot.search.ResumeOptions]. Teacher, space, data and
            scorer are named again only where they were none of the built-in ones: nothing
            that a run folder names is imported.

    Raises:
        RunFolderError: it is no run folder, is damaged, of another version, or another
            process is at work in it; or data, teacher or proposals are not those of the run.
        DiswotError: something that was asked for does not exist or does not fit.
        RunError: every candidate failed.
    """
    chosen = filled(ResumeOptions, options)
    generations, workers = chosen.pop("generations"), chosen.pop("workers")
    cluster = chosen.pop("cluster")
    path = Path(folder)
    read_manifest(path)  # what is no run folder is not locked
    with working_in(path), Journal(path) as journal:
        manifest = read_manifest(path)
        settings = SearchSettings.from_json(manifest)
        if generations is not None:
            settings = settings.extended(generations)
        check_alone_or_cluster(settings, workers, cluster)
        comparison = _as_before(manifest["settings"], progress=progress, **chosen)
        _check_same(comparison.manifest(), manifest, path)
        run = Run(comparison, settings, workers=workers, cluster=cluster, progress=progress)
        return run.go_on(path, journal, manifest)


@takes_options
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
        >>> one, = score(["3-1-5"], "resnet20", scorer="diswot", repeats=1, batch_size=8)
        >>> one.params, one.macs, sorted(one.terms)
        (383034, 10130048, ['relation', 'semantic'])
    """
    comparison = resolve_comparison(teacher, space, progress=progress, **options)
    found = comparison.space
    wanted = [parse_architecture(found, a) if isinstance(a, str) else a for a in archs]
    if wanted:
        check_architecture(found, wanted[0], comparison.data.spec)
    sample: list[Architecture] = []
    if comparison.formula.needs_reference:
        rng = generator_for(comparison.seed, "reference")
        sample = [found.sample(rng) for _ in range(REFERENCE)]
    distinct = {found.canonical_key(arch): arch for arch in (*sample, *wanted)}
    reference = len({found.canonical_key(arch) for arch in sample})
    evaluator = comparison.evaluator
    trials = Trials(evaluator, Budget(), comparison.formula, reference=reference)
    for arch in tracked(distinct.values(), progress, "score", len(distinct)):
        trials.add(evaluator.evaluate(arch))
    scored = {candidate.key: candidate for candidate in trials.scored()}
    alike = [(arch, scored[found.canonical_key(arch)]) for arch in wanted]
    return [replace(evaluator.evaluate(arch, like=like), score=like.score) for arch, like in alike]


def _as_before(
    used: Mapping[str, Any],
    *,
    teacher: str | nn.Module | Teacher | None,
    teacher_weights: str | Path | None,
    space: str | SearchSpace | None,
    data: Any,
    image_size: int | None,
    data_root: str | Path | None,
    scorer: str | Scorer | Term | None,
    device: str | None,
    progress: Progress,
) -> Comparison:
    """Resolve the comparison of a run again."""
    try:
        kept = {
            name: used[name]
            for name in ("combination", "repeats", "batch_size", "teacher_state", "seed", "threads")
        }
        return resolve_comparison(
            told_again("teacher", used["teacher"], teacher, NAMED),
            told_again("space", used["space"], space, SPACES),
            data=data_again(
                used, data, image_size=image_size, data_root=data_root, progress=progress
            ),
            scorer=_known_scorer(used["scorer"]) if scorer is None else scorer,
            teacher_weights=used["teacher_weights"] if teacher_weights is None else teacher_weights,
            teacher_classes=used.get("teacher_classes"),
            device=used["device"] if device is None else device,
            progress=progress,
            **kept,
        )
    except KeyError as error:
        raise RunFolderError(
            f"manifest.json does not tell {error}: restore it from a copy"
        ) from error


def _known_scorer(used: str) -> str:
    try:
        if is_reference(used):
            raise OptionError(f"{used} is Python code")
        find_scorer(used)
    except DiswotError as error:
        raise OptionError(
            f"the run used the scorer {used}, which is not installed here, and nothing that a run "
            "folder names is imported: name it again with --scorer"
        ) from error
    return used


def _check_same(now: Mapping[str, Any], then: Mapping[str, Any], folder: Path) -> None:
    """Make sure that scores to come are comparable with those of the journal.

    Raises:
        RunFolderError: something else would be compared.
    """
    for what in ("data", "teacher", "space"):
        if json.loads(json.dumps(now[what])) != then.get(what):
            raise RunFolderError(
                f"the {what} is not that of the run in {folder} (its SHA-256 differs): "
                f"give the one that the run was begun with"
            )
    if now["settings"]["scorer"] != then["settings"]["scorer"]:
        raise RunFolderError(
            f"the run in {folder} was begun with the scorer {then['settings']['scorer']}, "
            f"but got {now['settings']['scorer']}: give that"
        )
