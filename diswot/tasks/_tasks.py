"""Tasks by name: the built-in ones, and those that installed packages offer."""

from functools import cache

from diswot.options import DEFAULT_TASK
from diswot.registry import Registry, instance_of
from diswot.tasks._task import Task

TASKS: Registry[Task] = Registry(
    "task",
    "diswot.tasks",
    {
        "images": "diswot.tasks.images:ImageClassification",
        "landmarks": "diswot.tasks.landmarks:Landmarks",
        "text": "diswot.tasks.text:TextClassification",
    },
    adopt=instance_of(Task, "task", "diswot.tasks"),
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
    return TASKS.named(name)
