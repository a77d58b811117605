"""Check the teachers, networks and options that a user gives for a training."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import torch
from torch import nn

from diswot.errors import OptionError
from diswot.tasks import Dataset, Task, try_network
from diswot.teachers import Teacher

GivenTeacher: TypeAlias = str | nn.Module | Teacher
"""A name, `package.module:callable`, or a network."""


def own_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options for teachers that only some tasks have, if they are given."""
    return {name: options[name] for name in ("teacher_classes",) if options.get(name) is not None}


def check_own(options: Mapping[str, Any], task: Task) -> None:
    """Make sure that options which only some tasks have are supported by a task.

    Raises:
        OptionError: one of them is not.
    """
    views = ("auto", *task.teacher_views)
    unknown = {
        "teacher_view": options.get("teacher_view", "auto") not in views,
        "loader_workers": options.get("loader_workers") is not None and not task.streams,
    }
    for name in (name for name, is_unknown in unknown.items() if is_unknown):
        option = f"--{name.replace('_', '-')}"
        raise OptionError(f"{option} does not apply to the task {task.name}: leave it out")


def named_teachers(
    teacher: GivenTeacher | Mapping[str, GivenTeacher] | None, task: Task
) -> Mapping[str, GivenTeacher]:
    """Return the teachers by their names in a task, in its order.

    Args:
        teacher: one teacher for all names, a mapping by name, or `None` for no teachers.
        task: the task.

    Raises:
        OptionError: the mapping has other names than the task.
    """
    if teacher is None:
        return {}
    if not isinstance(teacher, Mapping):
        return dict.fromkeys(task.teachers, teacher)
    if set(teacher) != set(task.teachers):
        raise OptionError(
            f"Expected the teachers {', '.join(task.teachers)} of the task {task.name}, but got "
            f"{', '.join(teacher) or 'none'}: give each by its name"
        )
    return {name: teacher[name] for name in task.teachers}


def check_compatible(
    network: nn.Module, data: Dataset, who: str, *, training: bool = False
) -> None:
    """Make sure that `network` accepts the inputs of `data` and has the right outputs.

    Args:
        network: the network, which is in evaluation mode afterwards.
        data: the dataset.
        who: name of the network in messages.
        training: whether a training step is tried as well, on a copy.

    Raises:
        NetworkError: it does not fit the data; the message begins with `who`.
    """
    device = next((str(parameter.device) for parameter in network.parameters()), "cpu")
    inputs = data.batch("train", torch.arange(2), device=device).inputs
    try_network(network, inputs, data, who=who, training=training)
