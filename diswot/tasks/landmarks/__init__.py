"""Landmarks: regression of points in an image."""

from diswot.tasks.landmarks._error import (
    NORMALIZERS,
    Normalizer,
    normalized_errors,
    normalized_mean_error,
)
from diswot.tasks.landmarks._kd_loss import CODE, FIGURE, Assistance, assistive_loss, main_loss
from diswot.tasks.landmarks._outlines import row_edges
from diswot.tasks.landmarks._reading import read_csv, read_pts
from diswot.tasks.landmarks._shape_model import ShapeModel

__all__ = [
    "CODE",
    "FIGURE",
    "NORMALIZERS",
    "Assistance",
    "Normalizer",
    "ShapeModel",
    "assistive_loss",
    "main_loss",
    "normalized_errors",
    "normalized_mean_error",
    "read_csv",
    "read_pts",
    "row_edges",
]
