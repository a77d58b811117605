"""Options that several bench commands share."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from diswot.cli import Folder, Whole, option, options
from diswot.cli._declared import flagged
from diswot.options import DistillationOptions, RecipeOptions, ScoringOptions

_F = TypeVar("_F", bound=Callable[..., Any])


class Sample(click.ParamType[int]):
    """Parameter type: a number of architectures, or `all`, which is converted to 0."""

    name = "sample"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, 0 for all."""
        text = str(value)
        if text == "all":
            return 0
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or int(text) < 1:
            self.fail(f"expected a positive number or all, but got {value!r}", param, ctx)
        return int(text)


measurement_options = options.options(
    click.option(
        "--sample",
        type=Sample(),
        default="all",
        show_default=True,
        help="Number of random architectures, or all.",
    ),
    flagged(
        "--teacher",
        help="Teacher; by default resnet110 for images, otherwise the task's default.",
    ),
    option(
        ScoringOptions,
        "repeats",
        default=3,
        show_default=True,
        help="Initializations and batches per score, for every scorer.",
    ),
    option(
        ScoringOptions,
        "batch_size",
        default=64,
        show_default=True,
        help="Examples per scored batch, for every scorer.",
    ),
)

WORKERS = click.option(
    "--workers",
    type=Whole(min=1, max=1_000_000),
    default=1,
    show_default=True,
    help="Processes, which share the machine's cores.",
)
OUT = click.option(
    "--out", type=Folder(), help="A new folder, or one to resume; by default a new one in runs/."
)

run_options = options.options(
    options.DATA_ROOT, options.SEED, options.DEVICE, WORKERS, OUT, options.JSON
)

training_options = options.options(
    options.DATA_ROOT,
    options.TEACHER_WEIGHTS,
    option(
        DistillationOptions,
        "teacher_epochs",
        help="Epochs of a built-in teacher, trained once on all training images.",
    ),
    click.option(
        "--train-images",
        type=Whole(min=1, max=1_000_000),
        help="Images that students are trained on; by default all. With fewer, accuracies differ "
        "more.",
    ),
    option(RecipeOptions, "epochs", help="Epochs of each training."),
    click.option("--batch-size", type=Whole(min=2, max=1_000_000), help="Training batch size."),
    click.option(
        "--seeds",
        type=Whole(min=1, max=1_000_000),
        default=3,
        show_default=True,
        help="Trainings of each student with each loss; a comparison needs at least 2.",
    ),
    option(RecipeOptions, "precision", default="single"),
    options.FORCE,
    options.DEVICE,
    WORKERS,
    OUT,
    options.JSON,
)


class ScorerList(click.ParamType[tuple[str, ...]]):
    """Parameter type: comma-separated scorers, also logrank(a,b); `all` for all scorers."""

    name = "scorers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split at commas outside parentheses."""
        if isinstance(value, tuple):
            return value
        results = [part.strip() for part in re.findall(r"(?:[^,(]|\([^)]*\))+", str(value))]
        if not any(results):
            self.fail(f"expected scorers joined with commas, but got {value!r}", param, ctx)
        if results == ["all"]:
            from diswot.scorers import scorers

            return tuple(scorers())
        return tuple(dict.fromkeys(results))


def truth_options(truth: str, target: str) -> Callable[[_F], _F]:
    """Return the click decorator of `--truth` and `--target`.

    Args:
        truth: help text of `--truth`.
        target: help text of `--target`.
    """
    return options.options(
        click.option("--truth", default="digits-s0", show_default=True, help=truth),
        click.option("--target", help=target),
    )


def scorers_option(default: str) -> Callable[[_F], _F]:
    """Return the click decorator of `--scorers`."""
    return click.option(
        "--scorers",
        type=ScorerList(),
        default=default,
        show_default=True,
        help="Names and expressions, joined with commas.",
    )
