"""Settings that commands read from a run folder, completed by the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diswot.search import SearchResult
    from diswot.tasks import Source, Task
    from search_spaces import SearchSpace


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run; `None` where unknown."""

    teacher: str | None = None
    teacher_weights: str | None = None
    space: str | None = None
    data: str | None = None
    data_root: str | None = None
    seed: int | None = None
    teacher_classes: str | None = None
    task: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def as_options(self) -> dict[str, Any]:
        """Return the settings as one mapping, with the task-specific options at its top level."""
        return {**{n: v for n, v in vars(self).items() if n != "options"}, **self.options}


def with_defaults(given: RunSettings) -> tuple[RunSettings, Task]:
    """Fill in missing settings with the task's defaults and seed 0; return settings and task."""
    from diswot.tasks import find_subject

    subject = find_subject(given.as_options(), teacher=given.teacher, space=given.space)
    used = {"task": given.task or subject.task.name, "data": subject.data, "seed": 0}
    known = RunSettings(subject.teacher, space=subject.space, **used)
    return completed(given, known), subject.task


def completed(given: RunSettings, known: RunSettings) -> RunSettings:
    """Return `given` with its `None` values replaced by those of `known`."""
    missing = {name: value for name, value in vars(known).items() if vars(given)[name] is None}
    own_options = {name: value for name, value in given.options.items() if value is not None}
    return replace(given, **missing, options={**known.options, **own_options})


def open_run(folder: Path, given: RunSettings) -> tuple[SearchResult, RunSettings]:
    """Load a search result and its settings; options of the command line override them.

    Raises:
        RunFolderError: `folder` is not a run folder, or is damaged.
        OptionError: the run uses the user's Python code, which must be named again on the
            command line, because code that a run folder names is never imported.
    """
    from diswot.search import SPACES, load_run, read_manifest, restored_option, source_of, task_of

    used = read_manifest(folder)["settings"]
    task = task_of(used, given.task)
    source = RunSettings() if given.data else _data_of(source_of(used, task))
    known = RunSettings(
        teacher=restored_option("teacher", used["teacher"], given.teacher, task.teacher_sources),
        teacher_weights=None if given.teacher else used["teacher_weights"],
        space=restored_option("space", used["space"], given.space, SPACES),
        task=given.task or used.get("task", task.name),
        data=source.data,
        data_root=source.data_root,
        options=source.options,
        seed=used["seed"],
        teacher_classes=None if given.teacher else used.get("teacher_classes"),
    )
    settings = completed(given, known)
    # load_run finds built-in spaces itself; others are passed as named on the command line.
    named = None if used["space"] in SPACES else settings.space
    return load_run(folder, space=space_for(folder, named)), settings


def space_for(folder: Path, spec: str | None) -> SearchSpace | None:
    """Build the search space `spec` for the data of a run; `None` if `spec` is `None`."""
    from diswot.search import find_space, read_manifest
    from diswot.tasks import read_signature

    if spec is None:
        return None
    return find_space(spec, read_signature(read_manifest(folder)["data"]))


def _data_of(source: Source) -> RunSettings:
    return RunSettings(data=source.data, data_root=source.root, options=source.options)
