"""A task with the teacher, the space and the data that were chosen of it."""

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
"""A teacher that stands for the task's, where `None` would be to have none."""


@dataclass(frozen=True)
class Subject:
    """What is searched and trained for: what was chosen, and the task's defaults for the rest.

    Attributes:
        task: what the teacher does.
        teacher: a name or a network.
        space: a name or a space.
        data: a name, a folder, a reference or a dataset.
        root: the data root, where one was named.
        options: of the task's own that were given.
    """

    task: Task
    teacher: Any
    space: Any
    data: Any
    root: str | Path | None
    options: Mapping[str, Any]

    def check(self) -> None:
        """Check the data before anything is read.

        Raises:
            DiswotError: no dataset has that name, or options do not fit.
        """
        self.task.check(self.data, **self.options)

    def without_own(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Return options except those that only loading the data takes."""
        own = {*declared(DataOptions), *declared(self.task.options)}
        return {name: value for name, value in chosen.items() if name not in own}

    def load(self, progress: Progress = silent) -> Dataset:
        """Return the data.

        Raises:
            DiswotError: they are missing, damaged or unfit.
        """
        return self.task.load(self.data, root=self.root, progress=progress, **self.options)


def find_subject(
    chosen: Mapping[str, Any], *, teacher: Any = None, space: Any = None, data: Any = None
) -> Subject:
    """Return the task that is meant, with its defaults for what was not chosen.

    Args:
        chosen: options, of which `task`, `data`, `data_root` and the task's own are read.
        teacher: where it is no option; `None` for the task's.
        space: the same of the space.
        data: the same of the data.

    Raises:
        UnknownNameError: no task has that name.
        OptionError: data that are given are of another task, or it has no such option.

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
            raise OptionError(f"{option} means nothing for the task {task.name}: leave it out")
    return Subject(
        task,
        task.teacher if teacher in (None, DEFAULT) else teacher,
        task.space if space is None else space,
        task.data if data is None else data,
        chosen.get("data_root"),
        options_of(task.options, given),
    )


def takes_task_options(function: _F) -> _F:
    """Make a function take the options of the task that it is called for, see `takes_options`."""
    return takes_options(function, own=own_options)


def own_options(given: Mapping[str, Any]) -> Mapping[str, Declared]:
    """Return the options that the task of some options alone has."""
    return declared(_task_of(given.get("task"), given.get("data")).options)


def _task_of(name: str | None, data: Any) -> Task:
    """Return the task of a name, else of data, else the default one."""
    of_data = getattr(data, "task", None)
    if not isinstance(of_data, Task):
        return find_task(DEFAULT_TASK if name is None else name)
    if name not in (None, of_data.name) and type(find_task(name)) is not type(of_data):
        raise OptionError(
            f"the data {getattr(data, 'name', '')} are of the task {of_data.name}, but the task "
            f"{name} was asked for: give data of that, or leave the task out"
        )
    return of_data
