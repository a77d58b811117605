"""What a training in a folder was told, taken as if it had been given again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli._declared import options_declared_by
from diswot.errors import RunFolderError

if TYPE_CHECKING:
    from diswot.tasks import Task
    from diswot.training import TrainingManifest

_ELSEWHERE = ("teacher_weights", "image_size", "data_root", "device")
"""What can be another when a training is resumed."""


def options_before(
    command: click.Command,
    manifest: TrainingManifest,
    given: Mapping[str, Any],
    *,
    folder: Path,
    texts: tuple[str, ...],
) -> dict[str, Any]:
    """Return the options of a training that was stopped, checked as those of its command are.

    Args:
        command: the command that began it.
        manifest: what it was told.
        given: options of the command that resumes it, which take precedence.
        folder: where the manifest is.
        texts: what must be there as text or a list of texts.

    Raises:
        OptionError: something was Python code, and must be named again.
        RunFolderError: the manifest is damaged, or of another version.
    """
    from diswot.search import SPACES, task_of, told_again
    from diswot.training import TRAINING_MANIFEST

    task = task_of(manifest.told, given["task"])
    try:
        told = {name: _texts(manifest.told[name]) for name in texts}
        told |= _checked(command, task, {n: v for n, v in manifest.told.items() if n not in told})
    except (click.BadParameter, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"{folder / TRAINING_MANIFEST} is damaged or of another version ({error}): give the "
            f"command that began the training again, with --out {folder}"
        ) from error
    known_names = {"teacher": task.teacher_sources, "space": SPACES, "data": task.named_data}
    for kind, known in known_names.items():
        if told.get(kind) is not None:
            told[kind] = told_again(kind, told[kind], given[kind], known)
    told |= {"task": given["task"] or told.get("task", task.name)}
    return told | {n: given[n] for n in _ELSEWHERE if given[n] is not None}


def located(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a training with whole paths, so that they hold in every folder."""
    from diswot.tasks import find_subject

    places = [name for name in ("teacher_weights", "data_root") if told.get(name) is not None]
    task = find_subject(told).task
    if told["data"] in task.named_data and told["data"] not in task.datasets:
        places.append("data")
    whole = {name: str(Path(told[name]).expanduser().absolute()) for name in places}
    return {**told, **{n: place for n, place in whole.items() if "://" not in str(told[n])}}


def _texts(value: Any) -> Any:
    if not all(isinstance(text, str) for text in (value if isinstance(value, list) else [value])):
        raise ValueError(f"{value!r} is no text")
    return value


def _checked(command: click.Command, task: Task, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as the command takes them, each of its own type."""
    params = {param.name: param for param in command.params}
    own = options_declared_by(task.options, without=params)
    params |= {param.name: param for param in own}
    context = click.Context(command)
    return {name: params[name].type_cast_value(context, value) for name, value in told.items()}
