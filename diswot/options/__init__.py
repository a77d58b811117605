"""The options of all commands and functions, declared once; does not import torch."""

from diswot.options._job import JobOptions, RunOptions
from diswot.options._keywords import nearest, takes_options
from diswot.options._option import GROUPS, Declared, Option, declared, filled, options_of
from diswot.options._search import (
    COMBINATIONS,
    COMPILED,
    DEFAULT_SCORER,
    EAGER,
    MEASURED,
    ONNX,
    RUNTIMES,
    STREAM_ABOVE,
    TEACHER_STATES,
    Combination,
    DataOptions,
    ResumeOptions,
    ScoringOptions,
    SearchOptions,
    TeacherState,
)
from diswot.options._shared import DEFAULT_METHOD, DEFAULT_TASK
from diswot.options._subject import BudgetOptions, SubjectOptions
from diswot.options._training import (
    AUGMENTATIONS,
    MOST_LOADER_WORKERS,
    OPTIMIZERS,
    PRECISIONS,
    SCHEDULES,
    TEACHER_VIEWS,
    DistillationOptions,
    RecipeOptions,
)

__all__ = [
    "AUGMENTATIONS",
    "COMBINATIONS",
    "COMPILED",
    "DEFAULT_METHOD",
    "DEFAULT_SCORER",
    "DEFAULT_TASK",
    "EAGER",
    "GROUPS",
    "MEASURED",
    "MOST_LOADER_WORKERS",
    "ONNX",
    "OPTIMIZERS",
    "PRECISIONS",
    "RUNTIMES",
    "SCHEDULES",
    "STREAM_ABOVE",
    "TEACHER_STATES",
    "TEACHER_VIEWS",
    "BudgetOptions",
    "Combination",
    "DataOptions",
    "Declared",
    "DistillationOptions",
    "JobOptions",
    "Option",
    "RecipeOptions",
    "ResumeOptions",
    "RunOptions",
    "ScoringOptions",
    "SearchOptions",
    "SubjectOptions",
    "TeacherState",
    "declared",
    "filled",
    "nearest",
    "options_of",
    "takes_options",
]
