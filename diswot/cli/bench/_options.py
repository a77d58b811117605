"""Options that mean the same in every bench command."""

import re
from pathlib import Path
from typing import Any

import click

from diswot.cli import Whole, options
from diswot.options import PRECISIONS

measurement_options = options.options(
    click.option(
        "--teacher", default="resnet110", show_default=True, help="At random initialisation."
    ),
    click.option("--repeats", type=Whole(min=1, max=1_000_000), default=3, show_default=True),
    click.option("--batch-size", type=Whole(min=2, max=1_000_000), default=64, show_default=True),
)

WORKERS = click.option(
    "--workers",
    type=Whole(min=1, max=1_000_000),
    default=1,
    show_default=True,
    help="Processes, which share the machine's cores.",
)
OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A new folder, or one to go on with; by default a new one in runs/.",
)

lesson_options = options.options(
    options.DATA_ROOT,
    options.TEACHER_WEIGHTS,
    click.option(
        "--teacher-epochs",
        type=Whole(min=1, max=1_000_000),
        help="Epochs of a built-in teacher, trained once on all training images.",
    ),
    click.option(
        "--train-images",
        type=Whole(min=1, max=1_000_000),
        help="Images that students are trained on; by default all. Fewer spread the accuracies.",
    ),
    click.option("--epochs", type=Whole(min=1, max=1_000_000), help="Epochs of each training."),
    click.option("--batch-size", type=Whole(min=2, max=1_000_000), help="Images of a step."),
    click.option(
        "--seeds",
        type=Whole(min=1, max=1_000_000),
        default=3,
        show_default=True,
        help="Trainings of each student by each loss; losses are compared with 2 or more.",
    ),
    click.option("--precision", type=click.Choice(PRECISIONS), default="single", show_default=True),
    options.FORCE,
    options.DEVICE,
    WORKERS,
    OUT,
    options.JSON,
)


class ScorerList(click.ParamType[tuple[str, ...]]):
    """Scorers joined with commas, expressions such as logrank(a,b) included; `all` is all."""

    name = "scorers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split at commas outside parentheses."""
        if isinstance(value, tuple):
            return value
        found = [part.strip() for part in re.findall(r"(?:[^,(]|\([^)]*\))+", str(value))]
        if not any(found):
            self.fail(f"expected scorers joined with commas, but got {value!r}", param, ctx)
        if found == ["all"]:
            from diswot.scorers import scorers

            return tuple(scorers())
        return tuple(dict.fromkeys(found))


class Sample(click.ParamType[int]):
    """A number of architectures, or `all`, which is 0."""

    name = "sample"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, 0 for all."""
        text = str(value)
        if text == "all":
            return 0
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or int(text) < 1:
            self.fail(f"expected a positive number or all, but got {value!r}", param, ctx)
        return int(text)


SCORERS = click.option(
    "--scorers",
    type=ScorerList(),
    default="all",
    show_default=True,
    help="Names and expressions, joined with commas.",
)
