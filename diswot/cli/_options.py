"""Options that mean the same in every command."""

import math
import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import click

from diswot.devices import find_device
from diswot.distillation import AUGMENTATIONS, OPTIMISERS, PRECISIONS, SCHEDULES
from diswot.scorers import COMBINATIONS
from diswot.search import ENGINES, Budget, read_manifest

_F = TypeVar("_F", bound=Callable[..., Any])
MOST_WORKERS = 8
"""Of those that nobody asked for."""
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


class Real(click.FloatRange):
    """A number in a range; neither infinite nor none."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number that `value` stands for."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"expected a finite number, but got {value!r}", param, ctx)
        return number


POSITIVE = Real(min=0, min_open=True)
NOT_NEGATIVE = Real(min=0)
BETWEEN = Real(min=0, max=1, min_open=True, max_open=True)
SHARE = Real(min=0, max=1, max_open=True)


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

subject_options = options(TEACHER, TEACHER_WEIGHTS, SPACE, DATA, IMAGE_SIZE, DATA_ROOT)

again_options = options(
    click.option("--teacher", help="Only if it was Python code: name it again."),
    click.option("--teacher-weights", type=click.Path(), help="Where the checkpoint is now."),
    click.option("--space", help="Only if it was Python code: name it again."),
    click.option("--data", help="Only if it was a folder or Python code: name it again."),
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

WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    envvar="DISWOT_WORKERS",
    help="Processes; by default one for each core, up to eight. The result is the same.",
)
CLUSTER = click.option(
    "--cluster", help="Address of a Dask scheduler (tcp://host:8786), whose workers evaluate."
)
worker_options = options(WORKERS, CLUSTER)

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
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Of each score; with another number its last digits differ.",
    ),
)

search_options = options(
    click.option("--max-params", type=Count(), help="Parameters at most, e.g. 300k."),
    click.option("--max-macs", type=Count(), help="Multiply-adds of one input at most, e.g. 20M."),
    click.option("--max-latency-ms", type=float, help="Milliseconds of one forward pass at most."),
    click.option(
        "--max-memory", type=Count(), help="Peak bytes of activations of one input at most."
    ),
    click.option(
        "--latency",
        help="Where milliseconds come from: `measured`, a table (.csv), or what "
        "`diswot latency calibrate` wrote (.json).",
    ),
    click.option("--latency-column", help="Which column of a table of latencies."),
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
    click.option(
        "--objectives",
        callback=names,
        help="What nsga2 trades off: score and any of params, macs, latency_ms, memory; "
        "by default score,params.",
    ),
    worker_options,
)

recipe_options = options(
    click.option(
        "--epochs",
        type=click.IntRange(min=1),
        help="Epochs of each training; 10, and 20 for fewer than 5,000 images.",
    ),
    click.option(
        "--train-batch-size",
        type=click.IntRange(min=1),
        help="Images of a training step; 64, or less so that an epoch has 16 steps.",
    ),
    click.option("--optimiser", type=click.Choice(list(OPTIMISERS)), help="By default sgd."),
    click.option("--learning-rate", type=POSITIVE, help="By default 0.05 of sgd, 0.001 of adamw."),
    click.option(
        "--weight-decay", type=NOT_NEGATIVE, help="By default 0.0005 of sgd, 0.05 of adamw."
    ),
    click.option(
        "--schedule",
        type=click.Choice(SCHEDULES),
        help="Of the learning rate: by default step, tenths after 62.5, 75 and 87.5 % of epochs.",
    ),
    click.option(
        "--warmup-epochs", type=NOT_NEGATIVE, help="In which the learning rate grows from 0."
    ),
    click.option("--ema", type=BETWEEN, help="Keep a moving average of the weights, e.g. 0.999."),
    click.option(
        "--label-smoothing", type=SHARE, help="Share of a label that all classes get, e.g. 0.1."
    ),
    click.option("--mixup", type=NOT_NEGATIVE, help="Mix images in pairs: alpha, e.g. 0.2."),
    click.option("--cutmix", type=NOT_NEGATIVE, help="Put boxes of others in: alpha, e.g. 1."),
    click.option(
        "--augment",
        type=click.Choice(AUGMENTATIONS),
        help="By default standard: crops, and flips where they keep the class.",
    ),
    click.option("--clip", type=POSITIVE, help="Norm that gradients are cut to."),
    click.option(
        "--accumulate",
        type=click.IntRange(min=1),
        help="Parts of a batch, one after the other; saves memory.",
    ),
    click.option(
        "--precision", type=click.Choice(PRECISIONS), help="By default single; fp16 needs a GPU."
    ),
    click.option("--tensorboard", is_flag=True, help="Write TensorBoard events too."),
)

training_options = options(
    recipe_options,
    click.option(
        "--teacher-epochs",
        type=click.IntRange(min=1),
        help="Epochs of a built-in teacher without checkpoint, trained once; three times --epochs.",
    ),
    FORCE,
)


def taken_budget(chosen: dict[str, Any]) -> Budget | None:
    """Take the limits out of the options chosen; `None` if there are none."""
    budget = Budget(
        params=chosen.pop("max_params"),
        macs=chosen.pop("max_macs"),
        latency_ms=chosen.pop("max_latency_ms"),
        memory=chosen.pop("max_memory"),
    )
    return None if budget == Budget() else budget


def settle_workers(chosen: dict[str, Any], run: Path | None = None) -> None:
    """Choose how many workers there are where that was left open.

    Args:
        chosen: the options; `workers` is set.
        run: a run folder, whose settings are those that were not chosen.
    """
    if chosen["workers"] is not None:
        return
    used: dict[str, Any] = {}
    if run is not None:
        manifest = read_manifest(run)
        used = {**manifest["settings"], "latency": manifest.get("latency")}
    known = used | {name: value for name, value in chosen.items() if value is not None}
    alone = (
        known.get("cluster") is not None
        or known.get("latency") == "measured"
        or find_device(known.get("device")) != "cpu"
    )
    free = (os.cpu_count() or 1) // max(1, known.get("threads", 1))
    chosen["workers"] = 1 if alone else max(1, min(MOST_WORKERS, free))
