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
        "Task of the teacher and the students: a name of `diswot list tasks`.",
        default=DEFAULT_TASK,
        group="Task",
        essential=True,
    ),
]

DataRoot: TypeAlias = Annotated[
    str | Path | None,
    Option("Folder of datasets and of trained teachers; also set by DISWOT_DATA.", group="Task"),
]

TeacherWeights: TypeAlias = Annotated[
    str | Path | None,
    Option(
        "Checkpoint (.safetensors, .pt) to load into the teacher.", group="Task", essential=True
    ),
]

TeacherClasses: TypeAlias = Annotated[
    Any,
    Option(
        "Order of the teacher's outputs, if its class names do not give it: data, text or "
        "natural (the data's classes in their own order, sorted as text, or sorted as numbers), "
        "or a file with one name per line.",
        group="Task",
    ),
]

Seed: TypeAlias = Annotated[
    int,
    Option(
        "Random seed; the same seed gives the same run.",
        default=0,
        least=0,
        most=MOST_SEED,
        essential=True,
    ),
]

Device: TypeAlias = Annotated[
    str | None, Option("Device, as torch names it: cpu, cuda, cuda:1.", essential=True)
]
