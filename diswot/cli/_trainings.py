"""Options of a stopped training, read from its manifest and checked for `diswot resume`."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli._declared import options_declared_by
from diswot.errors import RunFolderError

if TYPE_CHECKING:
    from diswot.tasks import Task
    from diswot.training import TrainingManifest

_ELSEWHERE = ("teacher_weights", "image_size", "data_root", "device")
"""Options that may differ when a training is resumed, on another machine for example."""

_FORMER = ("tensorboard",)
"""Options of former versions that do not change what is trained."""


def options_before(
    command: click.Command,
    manifest: TrainingManifest,
    given: Mapping[str, Any],
    *,
    folder: Path,
    texts: tuple[str, ...],
) -> dict[str, Any]:
    """Return the options of a stopped training, checked like those of its command.

    Args:
        command: the command that started the training.
        manifest: the training's manifest.
        given: options of `diswot resume`, which take precedence.
        folder: folder of the manifest, for messages.
        texts: names of required options that are strings or lists of strings.

    Raises:
        OptionError: an option names the user's Python code, and must be given again.
        RunFolderError: the manifest is damaged, or of another version.
    """
    from diswot.search import restored_option, task_of
    from diswot.training import TRAINING_MANIFEST

    task = task_of(manifest.options, given["task"])
    try:
        options = {name: _texts(manifest.options[name]) for name in texts}
        others = {n: v for n, v in manifest.options.items() if n not in (*options, *_FORMER)}
        options |= _checked(command, task, others)
    except (click.BadParameter, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"{folder / TRAINING_MANIFEST} is damaged or of another version ({error}): run the "
            f"command that started the training again, with --out {folder}"
        ) from error
    # Python code that the manifest names is not imported: the user must name it again.
    for kind, known in found_by_name(task).items():
        if options.get(kind) is not None:
            options[kind] = restored_option(kind, options[kind], given[kind], known)
    options |= {"task": given["task"] or options.get("task", task.name)}
    return options | {n: given[n] for n in _ELSEWHERE if given[n] is not None}


def found_by_name(task: Task) -> dict[str, Container[str]]:
    """Return option → built-in names; other values name the user's Python code."""
    from diswot.search import SPACES

    return {"teacher": task.teacher_sources, "space": SPACES, "data": task.named_data}


def located(options: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """Return the options with absolute paths, to be valid in any working directory."""
    # Relative paths would be wrong if resumed from another working directory.
    places = [name for name in ("teacher_weights", "data_root") if options.get(name) is not None]
    if options["data"] in task.named_data and options["data"] not in task.datasets:
        places.append("data")
    whole = {name: str(Path(options[name]).expanduser().absolute()) for name in places}
    return {**options, **{n: path for n, path in whole.items() if "://" not in str(options[n])}}


def _texts(value: Any) -> Any:
    if not all(isinstance(text, str) for text in (value if isinstance(value, list) else [value])):
        raise ValueError(f"{value!r} is not text")
    return value


def _checked(command: click.Command, task: Task, options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert option values from JSON to the types of the command's parameters."""
    from diswot.methods import find_method

    params = {param.name: param for param in command.params}
    kinds = task.options, find_method(options.get("method")).options
    for kind in kinds:
        params |= {param.name: param for param in options_declared_by(kind, without=params)}
    context = click.Context(command)
    return {name: params[name].type_cast_value(context, value) for name, value in options.items()}
