"""A task together with the chosen teacher, search space and data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from diswot.errors import OptionError
from diswot.options import DEFAULT_TASK, DataOptions, Declared, declared, options_of, takes_options
from diswot.progress import Progress, silent
from diswot.tasks._task import Dataset, Task
from diswot.tasks._tasks import find_task

_F = TypeVar("_F", bound=Callable[..., Any])

DEFAULT = "default"
"""Stands for the task's default teacher in functions where `None` means no teacher."""


@dataclass(frozen=True)
class Subject:
    """A task with teacher, search space and data, as given or by the task's defaults.

    Attributes:
        task: the task.
        teacher: a name, `package.module:callable`, or a network.
        space: a name, `package.module:Class`, or a space.
        data: a name, a folder, `package.module:callable`, or a dataset.
        root: the data root; `None` if none was given.
        options: options of the task that were given.
    """

    task: Task
    teacher: Any
    space: Any
    data: Any
    root: str | Path | None
    options: Mapping[str, Any]

    def check(self) -> None:
        """Check name and options of the data before anything is read.

        Raises:
            DiswotError: no dataset has this name, or options do not fit.
        """
        self.task.check(self.data, **self.options)

    def without_own(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Return options without those that are only used to load the data."""
        data_options = {*declared(DataOptions), *declared(self.task.options)}
        return {name: value for name, value in chosen.items() if name not in data_options}

    def load(self, progress: Progress = silent) -> Dataset:
        """Load the data.

        Args:
            progress: receives messages, for example on inferred settings.

        Raises:
            DiswotError: the data are missing, damaged or do not fit the task.
        """
        return self.task.load(self.data, root=self.root, progress=progress, **self.options)


def find_subject(
    chosen: Mapping[str, Any], *, teacher: Any = None, space: Any = None, data: Any = None
) -> Subject:
    """Find the task, and fill in its defaults for teacher, space and data.

    Args:
        chosen: options, of which `task`, `data`, `data_root` and the task's own are used.
        teacher: the teacher, if it is not an option; `None` for the task's default.
        space: the search space, if it is not an option; `None` for the task's default.
        data: the data, if they are not an option; `None` for the task's default.

    Raises:
        UnknownNameError: no task has this name.
        OptionError: the given data belong to another task, or the task has no such option.

    Examples:
        >>> subject = find_subject({"data": "cifar100"}, teacher="wrn-40-2")
        >>> subject.task.name, subject.teacher, subject.space, subject.data
        ('images', 'wrn-40-2', 's0', 'cifar100')
    """
    data = chosen.get("data") if data is None else data
    task = _task_of(chosen.get("task"), data)
    given = {name: value for name, value in chosen.items() if value is not None}
    for name in options_of(DataOptions, given):
        if name not in declared(task.options):
            option = f"--{name.replace('_', '-')}"
            raise OptionError(f"{option} does not apply to the task {task.name}: leave it out")
    return Subject(
        task,
        task.teacher if teacher in (None, DEFAULT) else teacher,
        task.space if space is None else space,
        task.data if data is None else data,
        chosen.get("data_root"),
        options_of(task.options, given),
    )


def takes_task_options(function: _F) -> _F:
    """Make a function accept the options of the task that it is called with."""
    return takes_options(function, own=own_options)


def own_options(given: Mapping[str, Any]) -> Mapping[str, Declared]:
    """Return the declared options of the task that some options belong to, by name.

    Args:
        given: options, of which `task` and `data` determine the task.
    """
    return declared(_task_of(given.get("task"), given.get("data")).options)


def _task_of(name: str | None, data: Any) -> Task:
    """Return the task with a name, or else that of the data, or else the default task."""
    of_data = getattr(data, "task", None)
    if not isinstance(of_data, Task):
        return find_task(DEFAULT_TASK if name is None else name)
    if name not in (None, of_data.name) and type(find_task(name)) is not type(of_data):
        raise OptionError(
            f"the data {getattr(data, 'name', '')} are of the task {of_data.name}, but the task "
            f"{name} was given: give data for that task, or leave the task out"
        )
    return of_data
