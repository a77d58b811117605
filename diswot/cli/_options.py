"""Options that mean the same in every command."""

from collections.abc import Callable
from typing import Any, TypeVar

from diswot.cli._declared import Folder, flagged, option
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
    """Join option decorators into one, in the order of the help."""

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
IMAGE_SIZE = options(option(SearchOptions, "image_size"), option(SearchOptions, "stream_above"))
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

OUT = flagged("--out", type=Folder(), help="The run folder; a new one in runs/.")

run_options = options(SEED, DEVICE, OUT, JSON)

recipe_options = options(
    *(option(RecipeOptions, name) for name in declared(RecipeOptions) if name != "seed"),
    option(DistillationOptions, "flips"),
    option(DistillationOptions, "tensorboard"),
    option(DistillationOptions, "loader_workers"),
)

training_options = options(
    recipe_options,
    option(DistillationOptions, "teacher_view"),
    option(DistillationOptions, "teacher_epochs"),
    FORCE,
)
