"""Distillation on unlabeled images of another distribution than the teacher's (KD³)."""

from diswot.methods.web_images._contrast import contrast_loss, mix_distribution
from diswot.methods.web_images._options import SELECTIONS, WebImagesOptions
from diswot.methods.web_images._run import WebImagesRun
from diswot.methods.web_images._selection import (
    Selection,
    class_thresholds,
    select,
    teacher_share,
)
from diswot.methods.web_images._source import SharedStudents
from diswot.methods.web_images._training import WebImagesMethod

__all__ = [
    "SELECTIONS",
    "Selection",
    "SharedStudents",
    "WebImagesMethod",
    "WebImagesOptions",
    "WebImagesRun",
    "class_thresholds",
    "contrast_loss",
    "mix_distribution",
    "select",
    "teacher_share",
]
