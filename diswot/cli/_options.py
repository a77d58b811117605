"""Options that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from diswot.cli._declared import Folder, flagged, names, option
from diswot.options import (
    DistillationOptions,
    RecipeOptions,
    ResumeOptions,
    SearchOptions,
    SubjectOptions,
    declared,
)

_F = TypeVar("_F", bound=Callable[..., Any])


def options(*decorators: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Combine option decorators into one; the order is that of the help."""

    def decorate(function: _F) -> _F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


TASK = option(SearchOptions, "task")
TEACHER = option(SubjectOptions, "teacher")
TEACHER_WEIGHTS = option(DistillationOptions, "teacher_weights")
TEACHER_CLASSES = option(DistillationOptions, "teacher_classes")
SPACE = option(SubjectOptions, "space")
DATA = option(SearchOptions, "data")
FORCE = option(DistillationOptions, "force")
SIDE = option(SearchOptions, "image_size")
IMAGE_SIZE = options(SIDE, option(SearchOptions, "stream_above"))
DATA_ROOT = option(SearchOptions, "data_root")
SEED = option(SearchOptions, "seed")
DEVICE = option(SearchOptions, "device")
JSON = flagged("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")

subject_options = options(
    TASK, TEACHER, TEACHER_WEIGHTS, TEACHER_CLASSES, SPACE, DATA, IMAGE_SIZE, DATA_ROOT
)

again_options = options(
    *(
        option(ResumeOptions, name)
        for name in (
            *("task", "generations", "teacher", "teacher_weights", "space", "data", "image_size"),
            *("data_root", "scorer"),
        )
    )
)


def _trackers(context: click.Context, param: click.Parameter, value: str | None) -> Any:
    """Return the names of trackers, after checking that each can be used.

    Raises:
        DiswotError: one cannot.
    """
    result = names(context, param, value)
    if result and not context.resilient_parsing:
        from diswot.tracking import find_trackers

        find_trackers(result)
    return result


TRACK = options(
    flagged(
        "--track",
        callback=_trackers,
        essential=False,
        help="Trackers to send candidates and epochs to, separated by commas: tensorboard, mlflow, "
        "wandb, or package.module:Class.",
    ),
    flagged("--tensorboard", "track", flag_value="tensorboard", hidden=True, callback=_trackers),
)

OUT = flagged("--out", type=Folder(), help="The run folder; a new one in runs/.")

run_options = options(SEED, DEVICE, OUT, TRACK, JSON)

recipe_options = options(
    *(option(RecipeOptions, name) for name in declared(RecipeOptions) if name != "seed"),
    option(DistillationOptions, "flips"),
    option(DistillationOptions, "loader_workers"),
)

training_options = options(
    recipe_options,
    option(DistillationOptions, "teacher_view"),
    option(DistillationOptions, "teacher_epochs"),
    FORCE,
)
