"""Restore a run for resuming: check options before data are read, and that nothing changed."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from torch import nn

from diswot.errors import DiswotError, OptionError, RunFolderError
from diswot.options import DEFAULT_TASK, ResumeOptions, filled, takes_options
from diswot.progress import Progress, message, silent
from diswot.references import is_reference
from diswot.scorers import Scorer, Term, find_scorer
from diswot.search._restored_options import data_again, restored_option, source_of, task_of
from diswot.search._scoring_context import ScoringContext, check_scoring, resolve_scoring
from diswot.search._settings import SearchSettings, check_alone_or_cluster
from diswot.search._spaces import SPACES
from diswot.students import StudentSource
from diswot.tasks import read_signature
from diswot.teachers import Teacher
from search_spaces import SearchSpace


@takes_options
def check_resume(
    folder: Path, manifest: Mapping[str, Any], **options: Unpack[ResumeOptions]
) -> SearchSettings:
    """Check the options of a resumed search before any data are read; return its settings.

    Args:
        folder: the run folder.
        manifest: the content of its manifest.
        **options: see [`ResumeOptions`][diswot.search.ResumeOptions].

    Raises:
        DiswotError: the manifest is damaged, Python code must be named again, a name does not
            exist, or options contradict each other.
    """
    chosen = filled(ResumeOptions, options)
    settings = SearchSettings.from_json(manifest)
    if chosen["generations"] is not None:
        settings = settings.extended(chosen["generations"])
    check_alone_or_cluster(settings, chosen["workers"], chosen["cluster"])
    used = manifest["settings"]
    task = task_of(used, chosen["task"], data=chosen["data"])
    if chosen["data"] is None:
        source_of(used, task)
    then = _scorer_then(used)
    scorer = _known_scorer(then) if chosen["scorer"] is None else chosen["scorer"]
    name = find_scorer(scorer).card.name
    if name != then:
        raise RunFolderError(
            f"the run in {folder} was started with the scorer {then}, but got {name}: give that"
        )
    weights = chosen["teacher_weights"]
    check_scoring(
        restored_option("teacher", used["teacher"], chosen["teacher"], task.teacher_sources),
        restored_option("space", used["space"], chosen["space"], SPACES),
        task=task.name if chosen["task"] is None else chosen["task"],
        data=chosen["data"],
        scorer=scorer,
        teacher_weights=used["teacher_weights"] if weights is None else weights,
        device=used["device"] if chosen["device"] is None else chosen["device"],
    )
    return settings


_KEPT = ("combination", "repeats", "batch_size", "teacher_state", "seed", "threads")
"""Settings of a scoring context that cannot change when a run is resumed."""


def comparison_again(
    used: Mapping[str, Any],
    *,
    task: str | None,
    teacher: str | nn.Module | Teacher | None,
    teacher_weights: str | Path | None,
    space: str | SearchSpace | None,
    data: Any,
    image_size: int | None,
    data_root: str | Path | None,
    scorer: str | Scorer | Term | None,
    device: str | None,
    source: StudentSource | None = None,
    progress: Progress,
) -> ScoringContext:
    """Resolve the scoring context of a run again, from its settings and new options.

    Args:
        used: the settings in the run's manifest.
        task: given again, as are teacher, space, data, …; `None` restores the run's own.
        teacher: a name, `package.module:callable`, or a network.
        teacher_weights: checkpoint of the teacher.
        space: a name, `package.module:Class`, or a space.
        data: a name, path or dataset.
        image_size: side of the images, in pixels.
        data_root: the folder in which the data are now.
        scorer: a name or expression, or a scorer.
        device: a torch device.
        source: makes the networks of candidates, if one was given to the search.
        progress: receives messages.

    Raises:
        RunFolderError: the manifest is damaged.
        DiswotError: Python code must be named again, or something does not exist.
    """
    teachers = task_of(used, task, data=data).teacher_sources
    then = _scorer_then(used, progress)
    try:
        kept = {name: used[name] for name in _KEPT}
        return resolve_scoring(
            restored_option("teacher", used["teacher"], teacher, teachers),
            restored_option("space", used["space"], space, SPACES),
            task=used.get("task", DEFAULT_TASK) if task is None else task,
            data=data_again(
                used,
                data,
                task=task,
                image_size=image_size,
                data_root=data_root,
                progress=progress,
            ),
            scorer=_known_scorer(then) if scorer is None else scorer,
            teacher_weights=used["teacher_weights"] if teacher_weights is None else teacher_weights,
            teacher_classes=used.get("teacher_classes"),
            device=used["device"] if device is None else device,
            source=source,
            progress=progress,
            **kept,
        )
    except KeyError as error:
        raise RunFolderError(
            f"manifest.json does not hold {error}: restore it from a copy"
        ) from error


def _scorer_then(used: Mapping[str, Any], progress: Progress = silent) -> str:
    """Return the present name of a run's scorer.

    A scorer whose definition has changed since has another version; the old definition is kept
    under `name_version`, such as `student_fit_1`.
    """
    then = str(used["scorer"])
    if is_reference(then):
        return then
    versions = used.get("scorer_versions") or {}
    if not isinstance(versions, dict) or any(type(item) is not int for item in versions.values()):
        raise RunFolderError(
            f"manifest.json is damaged (scorer_versions is {versions!r}): restore it from a copy"
        )
    try:
        known = find_scorer(then).versions
    except DiswotError:
        return then
    for name, version in known.items():
        if versions.get(name, 1) != version:
            then = re.sub(rf"\b{name}\b", f"{name}_{versions.get(name, 1)}", then)
    if then != used["scorer"]:
        progress(
            message(
                "scorer",
                f"the run was started with an earlier definition of {used['scorer']}: it "
                f"resumes with {then}, the earlier definition",
            )
        )
    return then


def _known_scorer(used: str) -> str:
    try:
        if is_reference(used):
            raise OptionError(f"{used} is Python code")
        find_scorer(used)
    except DiswotError as error:
        raise OptionError(
            f"the run used the scorer {used}, which is not installed here, and code that a run "
            "folder names is not imported: pass it again with --scorer"
        ) from error
    return used


def check_same(now: Mapping[str, Any], then: Mapping[str, Any], folder: Path) -> None:
    """Make sure that new scores are comparable with those in the journal.

    Args:
        now: the manifest as it would be written now.
        then: the manifest of the run.
        folder: the run folder, for the message.

    Raises:
        RunFolderError: data, teacher, space or inherited weights differ (by SHA-256).
    """
    for what in ("data", "teacher", "space", "students"):
        if _identity(what, now) != _identity(what, then):
            raise RunFolderError(
                f"the {what} is not that of the run in {folder} (its SHA-256 differs): "
                f"give the one that the run was started with"
            )


def _identity(what: str, manifest: Mapping[str, Any]) -> Any:
    """Return the part of a manifest that must be equal to resume.

    The signature is parsed, because version 0.1.0 wrote it in another form.
    """
    record = json.loads(json.dumps(manifest.get(what)))
    if what == "data" and record is not None:
        return record.get("sha256"), read_signature(record)
    return record
