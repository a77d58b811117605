"""Restore task, data and options of a run from its manifest, which never imports code."""

from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from diswot.errors import DataError, DiswotError, OptionError, RunFolderError
from diswot.options import DEFAULT_TASK, declared
from diswot.progress import Progress
from diswot.tasks import TASKS, Dataset, Source, Task, find_task


def restored_option(kind: str, used: str, given: Any, known: Container[str]) -> Any:
    """Return the given value, or else the name that the run used.

    Args:
        kind: the option, such as "space", for messages.
        used: the name in the run's manifest.
        given: the value of the option now; `None` to restore it.
        known: names that are safe to restore.

    Raises:
        OptionError: the run used Python code, which the user must name again, because nothing
            that a run folder names is imported.
    """
    if given is not None:
        return given
    if used not in known:
        raise OptionError(
            f"the run used the {kind} {used}, and code that a run folder names is not imported: "
            f"pass it again with --{kind}"
        )
    return used


def task_of(used: Mapping[str, Any], given: str | None = None, *, data: Any = None) -> Task:
    """Return the task of a run.

    Runs of DisWOT 0.1.0 do not record a task; theirs is image classification.

    Args:
        used: the settings in the run's manifest.
        given: name of the task, if the user gave it again.
        data: a dataset, if the user gave it again; its task is used.

    Raises:
        OptionError: the task was Python code, which the user must name again.
    """
    task = getattr(data, "task", None)
    if isinstance(task, Task):
        return task
    return find_task(restored_option("task", used.get("task", DEFAULT_TASK), given, TASKS))


def source_of(used: Mapping[str, Any], task: Task) -> Source:
    """Return the name, root and options from which the data of a run can be loaded again.

    Args:
        used: the settings in the run's manifest.
        task: the task of the run.

    Raises:
        OptionError: the data were Python code, which the user must name again.
        RunFolderError: the manifest is damaged.
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
    """Load the given data, or else those of a run from where they were.

    Args:
        used: the settings in the run's manifest.
        given: name, path or dataset, if the user gave the data again.
        task: name of the task, if it was Python code.
        data_root: the folder in which the data are now.
        progress: receives messages about inferred settings.
        **options: options of the task; those that are not `None` override the run's.

    Raises:
        OptionError: the data were Python code, which the user must name again.
        DataError: the data are missing or do not fit the task.
    """
    found_task = task_of(used, task, data=given)
    own_options = {name: value for name, value in options.items() if value is not None}
    if given is not None:
        kept = _recorded(used, found_task).options if isinstance(given, str | Path) else {}
        return found_task.load(given, root=data_root, progress=progress, **{**kept, **own_options})
    source = source_of(used, found_task)
    root = data_root or source.root
    try:
        return found_task.load(
            source.data, root=root, progress=progress, **{**source.options, **own_options}
        )
    except DataError as error:
        raise DataError(f"{error} (--data names the data of the run where they are now)") from error
