"""Distillation losses: (student, teacher) → a number to minimise."""

from diswot.distillation.losses._objective import OBJECTIVES, Objective, find_objective
from diswot.distillation.losses.diswot import relation_loss, semantic_loss
from diswot.distillation.losses.hinton import kd_loss

__all__ = [
    "OBJECTIVES",
    "Objective",
    "find_objective",
    "kd_loss",
    "relation_loss",
    "semantic_loss",
]
