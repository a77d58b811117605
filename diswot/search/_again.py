"""What a run was made with, taken again: by name or path what is data, and never code."""

from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from diswot.errors import DataError, DiswotError, OptionError, RunFolderError
from diswot.options import DEFAULT_TASK, declared
from diswot.progress import Progress
from diswot.tasks import TASKS, Dataset, Source, Task, find_task


def restored_option(kind: str, used: str, given: Any, known: Container[str]) -> Any:
    """Return what was given, else what a run used if that is named by no code.

    Raises:
        OptionError: the run used Python code, which must be named again: what a run folder
            names is never imported.
    """
    if given is not None:
        return given
    if used not in known:
        raise OptionError(
            f"the run used the {kind} {used}, and nothing that a run folder names is imported: "
            f"name it again with --{kind}"
        )
    return used


def task_of(used: Mapping[str, Any], given: str | None = None, *, data: Any = None) -> Task:
    """Return the task of a run; those of DisWOT 0.1.0, which do not name it, are of images.

    Args:
        used: the settings of the run.
        given: the task, named again.
        data: a dataset that is given again, which has its task.

    Raises:
        OptionError: it was Python code, which must be named again.
    """
    task = getattr(data, "task", None)
    if isinstance(task, Task):
        return task
    return find_task(restored_option("task", used.get("task", DEFAULT_TASK), given, TASKS))


def source_of(used: Mapping[str, Any], task: Task) -> Source:
    """Return what loads the data of a run again.

    Args:
        used: the settings of the run.
        task: of the run.

    Raises:
        OptionError: the data were Python code, which must be named again.
        RunFolderError: the settings are damaged.
    """
    known = _recorded(used, task)
    restored_option("data", known.data, None, task.named_data)
    return known


def _recorded(used: Mapping[str, Any], task: Task) -> Source:
    try:
        known = Source.from_json(used.get("data_source") or {"data": str(used["data"])})
        for name, value in known.options.items():
            declared(task.options)[name].checked(value)
    except (TypeError, ValueError, KeyError, DiswotError) as error:
        raise RunFolderError(
            f"manifest.json holds no source of data ({error}): restore it from a copy"
        ) from error
    return known


def data_again(
    used: Mapping[str, Any],
    given: Any = None,
    *,
    task: str | None = None,
    data_root: str | Path | None = None,
    progress: Progress,
    **options: Any,
) -> Dataset:
    """Load what was given, else the data of a run from where they were.

    Args:
        used: the settings of the run.
        given: data that are named again.
        task: named again, where it was Python code.
        data_root: where they are now.
        progress: receives what was inferred.
        **options: of the task's own; what is not `None` goes before that of the run, which also
            holds for data that are named again.

    Raises:
        OptionError: the data were Python code, which must be named again.
        DataError: they are not there, or are unfit.
    """
    found = task_of(used, task, data=given)
    own = {name: value for name, value in options.items() if value is not None}
    if given is not None:
        kept = _recorded(used, found).options if isinstance(given, str | Path) else {}
        return found.load(given, root=data_root, progress=progress, **{**kept, **own})
    source = source_of(used, found)
    root = data_root or source.root
    try:
        return found.load(source.data, root=root, progress=progress, **{**source.options, **own})
    except DataError as error:
        raise DataError(f"{error} (--data names the data of the run where they are now)") from error
