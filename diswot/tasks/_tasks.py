"""Tasks by name: the built-in ones, and those that installed packages offer."""

from collections.abc import Mapping
from functools import cache

from diswot.errors import OptionError, UnknownNameError
from diswot.options import DEFAULT_TASK
from diswot.plugins import load, offered
from diswot.references import is_reference, resolve
from diswot.tasks._task import Task

GROUP = "diswot.tasks"
"""Entry points by which packages offer tasks."""

TASKS: Mapping[str, str] = {
    "images": "diswot.tasks.images:ImageClassification",
    "landmarks": "diswot.tasks.landmarks:Landmarks",
    "text": "diswot.tasks.text:TextClassification",
}
"""Built-in tasks, imported when they are used."""


def known_tasks() -> frozenset[str]:
    """Return the names of tasks, those of installed packages included."""
    return frozenset({*TASKS, *offered(GROUP)})


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
    if name in TASKS:
        found = resolve(TASKS[name], kind="task")
    elif name in offered(GROUP):
        found = load(offered(GROUP)[name])
    elif is_reference(name):
        found = resolve(name, kind="task")
    else:
        raise UnknownNameError("task", name, known_tasks())
    if isinstance(found, type) and issubclass(found, Task):
        return found()
    if isinstance(found, Task):
        return found
    raise OptionError(f"task {name!r} is {found!r}, which is no diswot.tasks.Task: name a class")
