"""Options that searches and trainings share."""

from pathlib import Path
from typing import Annotated, Any, TypeAlias

from diswot.options._option import Option

MOST_EPOCHS = 1_000_000
MOST_IMAGES = 1_000_000
MOST_SEED = 2**63 - 1

DEFAULT_TASK = "images"
"""The default task."""

DEFAULT_METHOD = "distillation"
"""The default method."""

TaskName: TypeAlias = Annotated[
    str,
    Option(
        "What the teacher does: a name of `diswot list tasks`.",
        default=DEFAULT_TASK,
        group="Task",
        essential=True,
    ),
]

DataRoot: TypeAlias = Annotated[
    str | Path | None,
    Option("Where datasets are and trained teachers are kept; also DISWOT_DATA.", group="Task"),
]

TeacherWeights: TypeAlias = Annotated[
    str | Path | None,
    Option(
        "A checkpoint (.safetensors, .pt) to load into the teacher.", group="Task", essential=True
    ),
]

TeacherClasses: TypeAlias = Annotated[
    Any,
    Option(
        "Order of the teacher's outputs where its own names do not say: data, text or natural "
        "(the data's classes as they are, sorted as text, or by their numbers), or a file with "
        "a name on each line.",
        group="Task",
    ),
]

Seed: TypeAlias = Annotated[
    int,
    Option("The same seed gives the same run.", default=0, least=0, most=MOST_SEED, essential=True),
]

Device: TypeAlias = Annotated[
    str | None, Option("Where to compute, as torch names it: cpu, cuda, cuda:1.", essential=True)
]
