"""Find tasks by name: built-in ones, and those of installed packages."""

from functools import cache

from diswot.options import DEFAULT_TASK
from diswot.registry import Registry, instance_of
from diswot.tasks._task import Task

TASKS: Registry[Task] = Registry(
    "task",
    "diswot.tasks",
    {
        "code": "diswot.tasks.code:CodeClassification",
        "images": "diswot.tasks.images:ImageClassification",
        "image-text": "diswot.tasks.image_text:ImageText",
        "landmarks": "diswot.tasks.landmarks:Landmarks",
        "multi-label": "diswot.tasks.images.multi_label:MultiLabelImages",
        "text": "diswot.tasks.text:TextClassification",
    },
    adopt=instance_of(Task, "task", "diswot.tasks"),
)
"""Tasks by name, imported on first use."""


@cache
def find_task(name: str = DEFAULT_TASK) -> Task:
    """Find a task by name.

    Args:
        name: a built-in name, the name of an entry point in the group `diswot.tasks`, or
            `package.module:Class`.

    Raises:
        UnknownNameError: no task has this name.
        OptionError: the object with this name is not a task.
        PluginError: the package that offers it cannot be imported.

    Examples:
        >>> find_task("images").summary
        'classification of images'
    """
    return TASKS.named(name)
