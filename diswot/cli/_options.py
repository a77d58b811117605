"""Options that mean the same in every command."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import click

from diswot.scorers import COMBINATIONS
from diswot.search import ENGINES, Budget

_F = TypeVar("_F", bound=Callable[..., Any])
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


class Count(click.ParamType[int]):
    """A positive number that takes the units k, M and G: `300k` is 300,000."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number that `value` stands for."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d{1,40}(?:\.\d{1,40})?)([kMG]?)", str(value).strip(), re.ASCII)
        number = round(Fraction(found[1]) * _UNITS[found[2]]) if found else 0
        if number < 1:
            message = f"expected a positive number like 300k, 1.5M or 2G, but got {value!r}"
            self.fail(message, param, ctx)
        return number


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
    help="A name of `diswot list teachers`, or package.module:callable.",
)
TEACHER_WEIGHTS = click.option(
    "--teacher-weights",
    type=click.Path(),
    help="A checkpoint (.safetensors, .pt) to load into the teacher.",
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
    help="A name of `diswot list datasets`, or package.module:callable.",
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

subject_options = options(TEACHER, TEACHER_WEIGHTS, SPACE, DATA, DATA_ROOT)

run_options = options(
    SEED,
    DEVICE,
    click.option(
        "--out", type=click.Path(path_type=Path), help="The run folder; a new one in runs/."
    ),
    JSON,
)

scoring_options = options(
    click.option(
        "--scorer",
        default="diswot",
        show_default=True,
        help="A name of `diswot list scorers`, several joined with +, or logrank(a,b,…).",
    ),
    click.option(
        "--combination",
        type=click.Choice(COMBINATIONS),
        help="How a scorer's terms become one score; by default as the scorer says.",
    ),
    click.option(
        "--repeats",
        type=click.IntRange(min=1),
        default=3,
        show_default=True,
        help="Initialisations and batches per score.",
    ),
    click.option(
        "--batch-size",
        type=click.IntRange(min=2),
        default=64,
        show_default=True,
        help="Images per scored batch.",
    ),
    click.option(
        "--teacher-state",
        type=click.Choice(["random", "trained"]),
        default="random",
        show_default=True,
        help="Score against the teacher at random initialisation or with its weights.",
    ),
)

search_options = options(
    click.option("--max-params", type=Count(), help="Parameters at most, e.g. 300k."),
    click.option("--max-macs", type=Count(), help="Multiply-adds of one input at most, e.g. 20M."),
    click.option(
        "--engine",
        type=click.Choice(list(ENGINES)),
        default="evolution",
        show_default=True,
        help="How candidates are proposed.",
    ),
    click.option(
        "--population",
        type=click.IntRange(min=1),
        default=20,
        show_default=True,
        help="Candidates per generation.",
    ),
    click.option(
        "--generations",
        type=click.IntRange(min=0),
        default=10,
        show_default=True,
        help="Generations after the first, which is random.",
    ),
)

training_options = options(
    click.option(
        "--epochs",
        type=click.IntRange(min=1),
        help="Epochs of each training; 10, and 20 for fewer than 5,000 images.",
    ),
    click.option(
        "--teacher-epochs",
        type=click.IntRange(min=1),
        help="Epochs of a built-in teacher without checkpoint, trained once; three times --epochs.",
    ),
)


def budget(max_params: int | None, max_macs: int | None) -> Budget:
    """Return the budget of the options of that name."""
    return Budget(params=max_params, macs=max_macs)
