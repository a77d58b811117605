"""Tasks by name: the built-in ones, and those that installed packages offer."""

from functools import cache
from typing import Any

from diswot.errors import OptionError
from diswot.options import DEFAULT_TASK
from diswot.references import is_reference, resolve
from diswot.registry import Registry
from diswot.tasks._task import Task


def _task(name: str, found: Any) -> Task:
    """Return the task that a class is, or that was named itself."""
    if isinstance(found, type) and issubclass(found, Task):
        return found()
    if isinstance(found, Task):
        return found
    raise OptionError(f"task {name!r} is {found!r}, which is no diswot.tasks.Task: name a class")


TASKS: Registry[Task] = Registry(
    "task",
    "diswot.tasks",
    {
        "images": "diswot.tasks.images:ImageClassification",
        "landmarks": "diswot.tasks.landmarks:Landmarks",
        "text": "diswot.tasks.text:TextClassification",
    },
    adopt=_task,
)
"""Every task by its name, imported when it is used."""


@cache
def find_task(name: str = DEFAULT_TASK) -> Task:
    """Return the task of a name.

    Args:
        name: a built-in name, the name of an entry point in the group `diswot.tasks`, or
            `package.module:Class`.

    Raises:
        UnknownNameError: no task has that name.
        OptionError: what is named is no task.
        PluginError: the package that offers it cannot be imported.

    Examples:
        >>> find_task("images").summary
        'classification of images'
    """
    if is_reference(name):
        return _task(name, resolve(name, kind="task"))
    return TASKS.find(name, also=" (or give package.module:Class)")
