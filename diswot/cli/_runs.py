"""What a command takes from a run folder, and what must be named again."""

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
    """What a run was made with; `None` where it is not known."""

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
        """Return all of them as options, the task's own included."""
        return {**{n: v for n, v in vars(self).items() if n != "options"}, **self.options}


def with_defaults(given: RunSettings) -> tuple[RunSettings, Task]:
    """Fill in the defaults of the task, and seed 0, where nothing was given; return both."""
    from diswot.tasks import find_subject

    subject = find_subject(given.as_options(), teacher=given.teacher, space=given.space)
    used = {"task": given.task or subject.task.name, "data": subject.data, "seed": 0}
    known = RunSettings(subject.teacher, space=subject.space, **used)
    return completed(given, known), subject.task


def completed(given: RunSettings, known: RunSettings) -> RunSettings:
    """Fill in from `known` what was not given."""
    missing = {name: value for name, value in vars(known).items() if vars(given)[name] is None}
    own = {name: value for name, value in given.options.items() if value is not None}
    return replace(given, **missing, options={**known.options, **own})


def open_run(folder: Path, given: RunSettings) -> tuple[SearchResult, RunSettings]:
    """Read a run; what was given on the command line goes before what the run was made with.

    Raises:
        RunFolderError: it is no run folder, or is damaged.
        OptionError: the run was made with Python code, which must be named again: what a
            run folder names is never imported.
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
    named = None if used["space"] in SPACES else settings.space
    return load_run(folder, space=space_for(folder, named)), settings


def space_for(folder: Path, spec: str | None) -> SearchSpace | None:
    """Build the space that is named for the images of a run, if one is."""
    from diswot.search import find_space, read_manifest
    from diswot.tasks import read_signature

    if spec is None:
        return None
    return find_space(spec, read_signature(read_manifest(folder)["data"]))


def _data_of(source: Source) -> RunSettings:
    return RunSettings(data=source.data, data_root=source.root, options=source.options)
