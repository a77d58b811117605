"""The options of searches and trainings, declared once; needs no torch."""

from diswot.options._search import (
    COMBINATIONS,
    DEFAULT_SCORER,
    ENGINES,
    TEACHER_STATES,
    Combination,
    TeacherState,
)
from diswot.options._training import AUGMENTATIONS, OPTIMIZERS, PRECISIONS, SCHEDULES

__all__ = [
    "AUGMENTATIONS",
    "COMBINATIONS",
    "DEFAULT_SCORER",
    "ENGINES",
    "OPTIMIZERS",
    "PRECISIONS",
    "SCHEDULES",
    "TEACHER_STATES",
    "Combination",
    "TeacherState",
]
