"""Train students, with or without a teacher."""

from diswot.losses import PRESETS, Objective, parse_objective
from diswot.options import (
    AUGMENTATIONS,
    OPTIMIZERS,
    PRECISIONS,
    SCHEDULES,
    DistillationOptions,
    RecipeOptions,
)
from diswot.runs import METRICS, TRAINING_MANIFEST
from diswot.training._api import (
    check_distillation,
    distill,
    prepare_distillation,
    recipe_of,
    recipe_options,
    teacher_epochs,
)
from diswot.training._batches import Batches
from diswot.training._distillation import Distillation
from diswot.training._distillation_method import DistillationMethod, MakeMethod
from diswot.training._fingerprint import teachers_of
from diswot.training._manifest import TrainingManifest, read_training_manifest
from diswot.training._method import STUDENT, Method, Player, checked_players
from diswot.training._metrics import TRAIN_READS, Epoch, read_metrics
from diswot.training._network_cache import kept_or_trained
from diswot.training._optimization import optimizer_of
from diswot.training._plain_batches import PlainBatches
from diswot.training._recipe import ADDED, Recipe, default_recipe
from diswot.training._saved_students import SavedStudent, folder_name, is_unfinished, saved_students
from diswot.training._shortlist import Halving, Rung, halve, total_epochs
from diswot.training._teacher import TrainedTeacher
from diswot.training._teacher_training import check_teacher_training, train_teacher
from diswot.training._training import train, train_by
from diswot.training._training_result import Training

__all__ = [
    "ADDED",
    "AUGMENTATIONS",
    "METRICS",
    "OPTIMIZERS",
    "PRECISIONS",
    "PRESETS",
    "SCHEDULES",
    "STUDENT",
    "TRAINING_MANIFEST",
    "TRAIN_READS",
    "Batches",
    "Distillation",
    "DistillationMethod",
    "DistillationOptions",
    "Epoch",
    "Halving",
    "MakeMethod",
    "Method",
    "Objective",
    "PlainBatches",
    "Player",
    "Recipe",
    "RecipeOptions",
    "Rung",
    "SavedStudent",
    "TrainedTeacher",
    "Training",
    "TrainingManifest",
    "check_distillation",
    "check_teacher_training",
    "checked_players",
    "default_recipe",
    "distill",
    "folder_name",
    "halve",
    "is_unfinished",
    "kept_or_trained",
    "optimizer_of",
    "parse_objective",
    "prepare_distillation",
    "read_metrics",
    "read_training_manifest",
    "recipe_of",
    "recipe_options",
    "saved_students",
    "teacher_epochs",
    "teachers_of",
    "total_epochs",
    "train",
    "train_by",
    "train_teacher",
]
