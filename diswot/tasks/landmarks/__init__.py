"""Landmarks: regression of points in an image."""

from diswot.tasks.landmarks._augmentation import Augmentation
from diswot.tasks.landmarks._catalog import DATASETS, check_landmarks, load_landmarks
from diswot.tasks.landmarks._error import (
    NORMALIZERS,
    Normalizer,
    bootstrap_interval,
    normalized_errors,
    normalized_mean_error,
)
from diswot.tasks.landmarks._kd_loss import CODE, FIGURE, Assistance, assistive_loss, main_loss
from diswot.tasks.landmarks._landmark_data import LandmarkData
from diswot.tasks.landmarks._landmark_images import LandmarkSplit
from diswot.tasks.landmarks._nme import NME
from diswot.tasks.landmarks._outlines import row_edges
from diswot.tasks.landmarks._points import mirrored_face
from diswot.tasks.landmarks._reading import Annotation, read_csv, read_pts
from diswot.tasks.landmarks._shape_model import ShapeModel
from diswot.tasks.landmarks._task import Landmarks
from diswot.tasks.landmarks._teachers import NETWORKS
from diswot.tasks.landmarks._terms import l2_loss

__all__ = [
    "CODE",
    "DATASETS",
    "FIGURE",
    "NETWORKS",
    "NME",
    "NORMALIZERS",
    "Annotation",
    "Assistance",
    "Augmentation",
    "LandmarkData",
    "LandmarkSplit",
    "Landmarks",
    "Normalizer",
    "ShapeModel",
    "assistive_loss",
    "bootstrap_interval",
    "check_landmarks",
    "l2_loss",
    "load_landmarks",
    "main_loss",
    "mirrored_face",
    "normalized_errors",
    "normalized_mean_error",
    "read_csv",
    "read_pts",
    "row_edges",
]
