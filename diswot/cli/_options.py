"""Options that mean the same in every command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def names(_context: click.Context, _option: click.Parameter, value: str | None) -> Any:
    """Return names that were separated by commas."""
    return None if value is None else tuple(map(str.strip, value.split(",")))


def options(*decorators: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Join option decorators into one, in the order of the help."""

    def decorate(function: _F) -> _F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


TEACHER = click.option(
    "--teacher",
    default="resnet56",
    show_default=True,
    help="A name of `diswot list teachers`, hf:FOLDER, timm:NAME, torchvision:NAME, "
    "or package.module:callable.",
)
TEACHER_WEIGHTS = click.option(
    "--teacher-weights",
    type=click.Path(),
    help="A checkpoint (.safetensors, .pt) to load into the teacher.",
)
TEACHER_CLASSES = click.option(
    "--teacher-classes",
    help="Order of the teacher's outputs, where its own names do not tell: data, text or natural "
    "(the data's classes as they are, sorted as text, or by their numbers), or a file with a "
    "name on each line.",
)
SPACE = click.option(
    "--space",
    default="s0",
    show_default=True,
    help="A name of `diswot list spaces`, or package.module:Class.",
)
DATA = click.option(
    "--data",
    default="digits",
    show_default=True,
    help="A name of `diswot list datasets`, a folder of images, or package.module:callable.",
)
FORCE = click.option("--force", is_flag=True, help="Learn from a teacher near chance too.")
IMAGE_SIZE = click.option(
    "--image-size",
    type=click.IntRange(min=1),
    help="Height and width of the images of a folder; by default inferred.",
)
DATA_ROOT = click.option(
    "--data-root",
    type=click.Path(),
    help="Where datasets lie and trained teachers are kept; also DISWOT_DATA.",
)
SEED = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The same seed gives the same run.",
)
DEVICE = click.option("--device", help="Where to compute, as torch names it: cpu, cuda, cuda:1.")
JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."
)

subject_options = options(
    TEACHER, TEACHER_WEIGHTS, TEACHER_CLASSES, SPACE, DATA, IMAGE_SIZE, DATA_ROOT
)

again_options = options(
    click.option("--teacher", help="Only if it was Python code: name it again."),
    click.option("--teacher-weights", type=click.Path(), help="Where the checkpoint is now."),
    click.option("--space", help="Only if it was Python code: name it again."),
    click.option("--data", help="Where a folder of images is now; Python code, named again."),
    IMAGE_SIZE,
    DATA_ROOT,
    click.option("--scorer", help="Only if it was Python code: name it again."),
)

run_options = options(
    SEED,
    DEVICE,
    click.option(
        "--out", type=click.Path(path_type=Path), help="The run folder; a new one in runs/."
    ),
    JSON,
)
