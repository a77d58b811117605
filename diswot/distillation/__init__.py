"""Training students, alone or towards a teacher."""

from diswot.distillation._api import (
    Distillation,
    DistillationOptions,
    TrainedTeacher,
    default_recipe,
    distill,
    prepare_distillation,
)
from diswot.distillation._objectives import OBJECTIVES, Objective, find_objective
from diswot.distillation._saved import SavedStudent, saved_students
from diswot.distillation._training import Accuracy, Epoch, Recipe, Training, evaluate, train

__all__ = [
    "OBJECTIVES",
    "Accuracy",
    "Distillation",
    "DistillationOptions",
    "Epoch",
    "Objective",
    "Recipe",
    "SavedStudent",
    "TrainedTeacher",
    "Training",
    "default_recipe",
    "distill",
    "evaluate",
    "find_objective",
    "prepare_distillation",
    "saved_students",
    "train",
]
